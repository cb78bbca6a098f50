"""Servers of one sandbox, listed and stopped from outside the emulator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mlp_sandbox.databases.postgres import host_addresses
from mlp_sandbox.databases.postgres.process import cluster_name, find_server, stop_server
from mlp_sandbox.databases.postgres.record import InstanceFolder, existing_folders


@dataclass(frozen=True, kw_only=True)
class InstanceProcess:
    """Current state of one instance on this machine."""

    identifier: str
    pid: int | None
    address: str | None
    port: int | None
    state: Literal["running", "starting", "stopped"]


def describe(home: Path) -> list[InstanceProcess]:
    """Return every instance that the home holds data of. The call works with and without a running emulator."""
    return [_describe(folder) for folder in existing_folders(home)]


def stop_all(home: Path) -> int:
    """Stop every server of the home, remove their addresses and return the number of servers that ran. Data are kept.

    Stop the emulator first, because it restarts servers.
    """
    stopped = 0
    for folder in existing_folders(home):
        mark = cluster_name(folder.root)
        stopped += find_server(folder.data, mark) is not None
        stop_server(folder.data, mark)
    host_addresses.release(home)
    return stopped


def _describe(folder: InstanceFolder) -> InstanceProcess:
    pid = find_server(folder.data, cluster_name(folder.root))
    record = folder.read_record()
    return InstanceProcess(
        identifier=folder.identifier,
        pid=pid,
        address=record.address if record else None,
        port=record.port if record else None,
        state="stopped" if pid is None else "running" if _accepts(folder) else "starting",
    )


def _accepts(folder: InstanceFolder) -> bool:
    try:
        return (folder.data / "postmaster.pid").read_text().splitlines()[-1].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False
