"""Configuration of containerd, its registry mirrors, and the pods' network (CNI)."""

from __future__ import annotations

import json
from pathlib import Path

from mlp_sandbox.clusters.nodes.real import base_spec, registry_redirect
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder

SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10"
CNI_PROGRAMS = ("/usr/lib/cni", "/opt/cni/bin")
_CAP_SYS_RESOURCE = 24


def write(folder: NodeFolder, pod_cidr: str, *, overlay: bool, database_ca: Path | None) -> None:
    """Write the files in the node's folder. `overlay` is True if its file system supports overlays."""
    if database_ca is not None:
        folder.database_ca.write_bytes(database_ca.read_bytes())
        folder.database_ca.chmod(0o644)
        folder.base_spec.write_text(
            json.dumps(base_spec.with_certificates(base_spec.default_spec(), folder.database_ca))
        )
    (folder.etc / "containerd.toml").write_text(
        containerd_toml(
            folder,
            overlay=overlay,
            may_raise_priority=_has_capability(_CAP_SYS_RESOURCE),
            with_base=database_ca is not None,
        )
    )
    default = folder.certificates / "_default"
    default.mkdir(exist_ok=True)
    (default / "hosts.toml").write_text(hosts_toml())
    (folder.cni / "10-pods.conflist").write_text(json.dumps(cni(folder, pod_cidr), indent=1))


def containerd_toml(folder: NodeFolder, *, overlay: bool, may_raise_priority: bool, with_base: bool) -> str:
    """Return containerd's configuration.

    Args:
        folder: Folder of the node.
        overlay: True if its file system supports overlays.
        may_raise_priority: True if this process has CAP_SYS_RESOURCE. Without it, containers with a lower
            oom_score_adj than this process's could not start.
        with_base: True if containers use the base runtime specification.
    """
    restrict = "false" if may_raise_priority else "true"
    base = f'\nbase_runtime_spec = "{folder.base_spec}"' if with_base else ""
    return f"""\
version = 2
root = "{folder.containerd}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = {restrict}
# As containerd 2 has it, which nodes of EKS run: ports below 1024 and ping are for every user.
enable_unprivileged_ports = true
enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{cni_programs()}"
conf_dir = "{folder.cni}"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{folder.certificates}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{"overlayfs" if overlay else "native"}"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"{base}

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def hosts_toml() -> str:
    """Return the mirror configuration, which is the same for every registry.

    If the mirror does not provide an image, containerd asks the registry itself. This fails, because a node has no
    internet access.
    """
    host, port = registry_redirect.ADDRESS
    return f"""\
[host."http://{host}:{port}"]
capabilities = ["pull", "resolve"]
"""


def cni(folder: NodeFolder, pod_cidr: str) -> dict[str, object]:
    """Return the configuration of the pods' network. As with the VPC CNI, each pod has its own veth pair and is routed.

    There is no bridge, whose packets netfilter would miss. https://www.cni.dev/plugins/current/main/ptp/
    """
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": pod_cidr}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(folder.cni / "addresses"),
    }
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def cni_programs() -> str:
    return next((folder for folder in CNI_PROGRAMS if Path(folder, "ptp").exists()), CNI_PROGRAMS[0])


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
