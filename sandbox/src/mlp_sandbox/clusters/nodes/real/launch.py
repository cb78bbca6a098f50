"""Starts a node's first process: into the node's control group, then into new namespaces. `launch <node's folder>`.

It replaces itself with `unshare`, which stays as the namespaces' owner outside: killed, it takes the first process
along, and with that the kernel ends every process, mount and link of the node.
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
