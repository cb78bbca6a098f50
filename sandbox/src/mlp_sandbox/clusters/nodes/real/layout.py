"""Paths of the files of a real node, and the names of its resources outside its folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class NodeFolder:
    """Folder of one node: all its files lie below `root`.

    Cgroup and link are named after it, so that leftovers are found.
    """

    root: Path

    @property
    def identity(self) -> str:
        return hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:10]

    @property
    def cgroup(self) -> str:
        return f"mlp-node-{self.identity}"

    @property
    def link(self) -> str:
        """Return the name of the bridge's end of the node's veth pair. It has at most 15 characters."""
        return f"mlpn{self.identity}"

    @property
    def plan(self) -> Path:
        return self.root / "plan.json"

    @property
    def pid_file(self) -> Path:
        return self.root / "init.pid"

    @property
    def state(self) -> Path:
        """Return the path of the state file, in which the node's first process lists the running services.

        The age of the file shows whether that process is healthy.
        """
        return self.root / "state.json"

    @property
    def pod_identity_switch(self) -> Path:
        """Return the path of a file: the Pod Identity agent runs while it exists."""
        return self.root / "pod-identity"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def database_ca(self) -> Path:
        """Return the path of the CA file that pods verify databases with."""
        return self.etc / "database-ca.pem"

    @property
    def base_spec(self) -> Path:
        """Return the path of the base runtime specification of every container."""
        return self.etc / "base-spec.json"

    @property
    def certificates(self) -> Path:
        return self.root / "certs.d"

    @property
    def cni(self) -> Path:
        return self.root / "cni"

    @property
    def kubelet(self) -> Path:
        """Return the folder that is mounted as /var/lib/kubelet inside the node."""
        return self.root / "kubelet"

    @property
    def containerd(self) -> Path:
        return self.root / "containerd"

    @property
    def volumes(self) -> Path:
        """Return the folder of the data of the PersistentVolumes on this node."""
        return self.root / "volumes"

    @property
    def machine(self) -> Path:
        """Return the folder of the files that replace those in /proc and /sys about processors and memory inside the
        node."""
        return self.root / "machine"

    @property
    def var_log(self) -> Path:
        """Return the folder that is mounted as /var/log inside the node. It contains the logs of pods."""
        return self.root / "var-log"

    @property
    def log(self) -> Path:
        """Return the folder of the logs of the node's own processes."""
        return self.root / "log"

    def make(self) -> None:
        for folder in (
            *(self.etc, self.certificates, self.cni, self.kubelet, self.containerd, self.volumes, self.machine),
            *(self.var_log / "pods", self.var_log / "containers", self.log),
        ):
            folder.mkdir(parents=True, exist_ok=True)
