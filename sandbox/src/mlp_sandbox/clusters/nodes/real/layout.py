"""Where a real node keeps its files, and the names of what it has outside of its folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NodeFolder:
    """Everything of one node lies under `root`; cgroup and link are named after it, so that leftovers are found."""

    root: Path

    @property
    def identity(self) -> str:
        return hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:10]

    @property
    def cgroup(self) -> str:
        return f"mlp-node-{self.identity}"

    @property
    def link(self) -> str:
        """The bridge's end of the node's cable: at most 15 characters."""
        return f"mlpn{self.identity}"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def pid_file(self) -> Path:
        return self.root / "init.pid"

    @property
    def state(self) -> Path:
        """Written by the node's first process: which services run. Its age says whether that process is well."""
        return self.root / "state.json"

    @property
    def pod_identity_switch(self) -> Path:
        """The Pod Identity agent runs while this file exists."""
        return self.root / "pod-identity"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def database_ca(self) -> Path:
        """What pods verify databases with."""
        return self.etc / "database-ca.pem"

    @property
    def base_spec(self) -> Path:
        """What every container starts from."""
        return self.etc / "base-spec.json"

    @property
    def certificates(self) -> Path:
        return self.root / "certs.d"

    @property
    def cni(self) -> Path:
        return self.root / "cni"

    @property
    def kubelet(self) -> Path:
        """Seen as /var/lib/kubelet inside of the node."""
        return self.root / "kubelet"

    @property
    def containerd(self) -> Path:
        return self.root / "containerd"

    @property
    def volumes(self) -> Path:
        """Folders behind the PersistentVolumes that are on this node."""
        return self.root / "volumes"

    @property
    def machine(self) -> Path:
        """What /proc and /sys say of the processors and the memory, inside of the node."""
        return self.root / "machine"

    @property
    def var_log(self) -> Path:
        """Seen as /var/log inside of the node: pods' logs."""
        return self.root / "var-log"

    @property
    def log(self) -> Path:
        """Logs of the node's own processes."""
        return self.root / "log"

    def make(self) -> None:
        for folder in (
            *(self.etc, self.certificates, self.cni, self.kubelet, self.containerd, self.volumes, self.machine),
            *(self.var_log / "pods", self.var_log / "containers", self.log),
        ):
            folder.mkdir(parents=True, exist_ok=True)
