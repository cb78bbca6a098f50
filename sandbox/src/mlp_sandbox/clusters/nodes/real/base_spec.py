"""What every container of a node starts from: containerd's own, with the certificates of the databases mounted.

On AWS an image brings Amazon's. Neither manifest nor image has to say anything of those of here, and no file system of
a container has to be writable. https://github.com/containerd/containerd/blob/main/docs/cri/config.md, base_runtime_spec
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from mlp_sandbox.errors import SandboxError

DATABASE_CA: Final = "/usr/local/share/rds/ca.pem"
"""Inside of containers; a folder that nobody mounts something over."""

_SECONDS: Final = 20


def with_certificates(spec: dict[str, Any], source: Path) -> dict[str, Any]:
    """A runtime specification that mounts the file. Limits of processes are the machine's, as without a base."""
    process = {name: value for name, value in spec["process"].items() if name != "rlimits"}
    mount = {
        "destination": DATABASE_CA,
        "type": "bind",
        "source": str(source),
        "options": ["bind", "rprivate", "ro", "nosuid", "nodev", "noexec"],
    }
    return {**spec, "process": process, "mounts": [*spec["mounts"], mount]}


def default_spec() -> dict[str, Any]:
    """That of the containerd which is installed. Raises SandboxError."""
    try:
        done = subprocess.run(["ctr", "oci", "spec"], check=True, capture_output=True, text=True, timeout=_SECONDS)
        return dict(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SandboxError(
            f"`ctr oci spec` does not say what containers start from ({error}); it comes with containerd"
        ) from error
