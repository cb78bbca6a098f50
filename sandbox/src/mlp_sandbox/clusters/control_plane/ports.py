"""Ports of a control plane: the defaults of Kubernetes in a cluster's network, free loopback ports elsewhere."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from mlp_sandbox.clusters.folder import ClusterFolder, read_json, write

LOOPBACK = "127.0.0.1"
_LISTENING = "0A"  # state in /proc/net/tcp


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Ports on which the processes listen. The defaults are those of Kubernetes."""

    etcd: int = 2379
    etcd_peers: int = 2380
    apiserver: int = 443
    controllers: int = 10257
    scheduler: int = 10259
    kwok: int = 10247


def listens(pid: int, port: int) -> bool:
    """Return True if the process listens on that port in its own network namespace.

    psutil only knows the namespace of the calling process.
    """
    wanted = f":{port:04X}"
    try:
        lines = [line.split() for line in Path("/proc", str(pid), "net/tcp").read_text().splitlines()[1:]]
        sockets = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(wanted) and line[3] == _LISTENING}
        return bool(sockets) and any(_link(entry) in sockets for entry in Path("/proc", str(pid), "fd").iterdir())
    except OSError:
        return False


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""  # closed in the meantime


def loopback_ports(folder: ClusterFolder) -> Ports:
    """Return free ports.

    Recorded ports are reused if they are free, or if the cluster's own processes may hold them.
    """
    places = read_json(folder.places)
    recorded: dict[str, int] = places.get("ports") or {}
    names = list(asdict(Ports()))
    ours = any(folder.run.glob("*.pid"))
    if set(recorded) != set(names) or not (ours or all(_is_free(port) for port in recorded.values())):
        recorded = dict(zip(names, _free_ports(len(names)), strict=True))
        folder.make()
        write(folder.places, json.dumps({**places, "ports": recorded}))
    return Ports(**recorded)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
