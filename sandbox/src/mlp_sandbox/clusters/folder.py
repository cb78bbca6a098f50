"""Where one cluster keeps its files, and the names of what it has outside of its folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlp_sandbox.errors import SandboxError

MARK = "MLP_CLUSTER_FOLDER"
"""Environment variable of every process of a cluster: by it they are found when their pid files are gone."""

_CLUSTER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ClusterFolder:
    """Everything of one cluster lies under `root`; namespace and links are named after it."""

    root: Path

    @property
    def identity(self) -> str:
        return hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:10]

    @property
    def netns(self) -> str:
        return f"mlp-{self.identity}"

    @property
    def desired(self) -> Path:
        """Written by the data plane: what the cluster shall be."""
        return self.root / "desired.json"

    @property
    def status(self) -> Path:
        """Written by the supervisor: how far it is."""
        return self.root / "status.json"

    @property
    def supervisor_pid(self) -> Path:
        return self.root / "supervisor.pid"

    @property
    def supervisor_lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def places(self) -> Path:
        """Ports and addresses that were chosen and stay where they can."""
        return self.root / "places.json"

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def etc(self) -> Path:
        """Configuration of the control plane's processes."""
        return self.root / "etc"

    @property
    def etcd(self) -> Path:
        return self.root / "etcd"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        """Pid files of the control plane's processes."""
        return self.root / "run"

    @property
    def nodes(self) -> Path:
        """A folder per real node."""
        return self.root / "nodes"

    @property
    def volumes(self) -> Path:
        """The data of persistent volumes, which outlive nodes."""
        return self.root / "volumes"

    def make(self) -> None:
        for folder in (self.root, self.pki, self.etc, self.etcd, self.log, self.run, self.nodes):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def clusters_root(home: Path) -> Path:
    return home / "eks"


def cluster_folder(home: Path, cluster_id: str) -> ClusterFolder:
    """Raises SandboxError for an id that is no name of a folder."""
    if not _CLUSTER_ID.fullmatch(cluster_id):
        raise SandboxError(f"cluster id {cluster_id!r} cannot be used: letters, digits, hyphens and full stops only")
    return ClusterFolder(clusters_root(home) / cluster_id)


def existing_folders(home: Path) -> Iterator[ClusterFolder]:
    """Every cluster that the home keeps something of."""
    root = clusters_root(home)
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if path.is_dir():
            yield ClusterFolder(path)


def write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Whole or not at all, readable by nobody else unless said."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    fresh.replace(path)


def write_if_changed(path: Path, content: str | bytes, mode: int = 0o600) -> bool:
    """Whether it was written."""
    wanted = content.encode() if isinstance(content, str) else content
    try:
        if path.read_bytes() == wanted:
            return False
    except FileNotFoundError:
        pass
    write(path, wanted, mode)
    return True


def read_json(path: Path) -> dict[str, Any]:
    """Empty when it is not there or not whole."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
