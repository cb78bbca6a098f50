"""Paths of the files of one cluster, and the names of its resources outside its folder."""

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
"""Environment variable of every process of a cluster. It identifies the processes when their pid files are gone."""

_CLUSTER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ClusterFolder:
    """Folder of one cluster: all its files lie below `root`. The network namespace and the links are named after it."""

    root: Path

    @property
    def identity(self) -> str:
        return hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:10]

    @property
    def netns(self) -> str:
        return f"mlp-{self.identity}"

    @property
    def desired(self) -> Path:
        """Return the path of the desired state, which the data plane writes."""
        return self.root / "desired.json"

    @property
    def status(self) -> Path:
        """Return the path of the status, which the supervisor writes."""
        return self.root / "status.json"

    @property
    def supervisor_pid(self) -> Path:
        return self.root / "supervisor.pid"

    @property
    def supervisor_lock(self) -> Path:
        return self.root / "supervisor.lock"

    @property
    def places(self) -> Path:
        """Return the path of the record of allocated ports and addresses. A restart reuses them where it can."""
        return self.root / "places.json"

    @property
    def pki(self) -> Path:
        return self.root / "pki"

    @property
    def etc(self) -> Path:
        """Return the folder of the configuration of the control plane's processes."""
        return self.root / "etc"

    @property
    def etcd(self) -> Path:
        return self.root / "etcd"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        """Return the folder of the pid files of the control plane's processes."""
        return self.root / "run"

    @property
    def nodes(self) -> Path:
        """Return the folder that holds one subfolder per real node."""
        return self.root / "nodes"

    @property
    def volumes(self) -> Path:
        """Return the folder of the data of persistent volumes, which outlive nodes."""
        return self.root / "volumes"

    def make(self) -> None:
        for folder in (self.root, self.pki, self.etc, self.etcd, self.log, self.run, self.nodes):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def clusters_root(home: Path) -> Path:
    return home / "eks"


def cluster_folder(home: Path, cluster_id: str) -> ClusterFolder:
    """Return the folder of a cluster. Raises SandboxError for an id that is not a valid folder name."""
    if not _CLUSTER_ID.fullmatch(cluster_id):
        raise SandboxError(f"cluster id {cluster_id!r} cannot be used: letters, digits, hyphens and full stops only")
    return ClusterFolder(clusters_root(home) / cluster_id)


def existing_folders(home: Path) -> Iterator[ClusterFolder]:
    """Yield the folder of every cluster that has files below the home folder."""
    root = clusters_root(home)
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if path.is_dir():
            yield ClusterFolder(path)


def write(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write a file atomically. By default, only the owner can read it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    fresh.replace(path)


def write_if_changed(path: Path, content: str | bytes, mode: int = 0o600) -> bool:
    """Write a file only if its content differs. Returns True if it was written."""
    wanted = content.encode() if isinstance(content, str) else content
    try:
        if path.read_bytes() == wanted:
            return False
    except FileNotFoundError:
        pass
    write(path, wanted, mode)
    return True


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file, or return an empty one if the file is missing or invalid."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
