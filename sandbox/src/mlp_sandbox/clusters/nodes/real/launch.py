"""Start of a node's first process in the node's control group and in new namespaces: `launch <node's folder>`.

The process replaces itself with `unshare`, which stays outside as the owner of the namespaces. When `unshare` is
killed, the first process ends too, and with it the kernel ends every process, mount and link of the node.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mlp_sandbox.clusters.nodes.real import cgroups
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder


def main() -> None:
    folder = NodeFolder(Path(sys.argv[1]))
    cgroups.enter(folder.cgroup)
    namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "--mount-proc"]
    first = [sys.executable, "-m", "mlp_sandbox.clusters.nodes.real.init", str(folder.root)]
    os.execvp("unshare", ["unshare", *namespaces, "--", *first])  # noqa: S606


if __name__ == "__main__":
    main()
