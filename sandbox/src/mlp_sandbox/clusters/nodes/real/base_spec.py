"""Base runtime specification of a node's containers: containerd's default plus a mount of the databases' CA file.

On AWS, images contain Amazon's CA certificates. With the mount, neither manifests nor images need to refer to the
sandbox's CA file, and no container file system needs to be writable.
https://github.com/containerd/containerd/blob/main/docs/cri/config.md, base_runtime_spec
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from mlp_sandbox.errors import SandboxError

DATABASE_CA: Final = "/usr/local/share/rds/ca.pem"
"""Path inside containers, in a folder that no usual mount hides."""

_SECONDS: Final = 20


def with_certificates(spec: dict[str, Any], source: Path) -> dict[str, Any]:
    """Return a runtime specification that mounts the CA file.

    The rlimits of processes are removed, so that the machine's limits apply, as without a base specification.
    """
    process = {name: value for name, value in spec["process"].items() if name != "rlimits"}
    mount = {
        "destination": DATABASE_CA,
        "type": "bind",
        "source": str(source),
        "options": ["bind", "rprivate", "ro", "nosuid", "nodev", "noexec"],
    }
    return {**spec, "process": process, "mounts": [*spec["mounts"], mount]}


def default_spec() -> dict[str, Any]:
    """Return the default specification of the installed containerd. Raises SandboxError."""
    try:
        done = subprocess.run(["ctr", "oci", "spec"], check=True, capture_output=True, text=True, timeout=_SECONDS)
        return dict(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SandboxError(
            f"`ctr oci spec` does not say what containers start from ({error}); it comes with containerd"
        ) from error
