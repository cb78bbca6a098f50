"""Operations on the clusters of one sandbox that need no running emulator: list clusters, and stop them.

They also handle clusters whose supervisor or other processes were killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from mlp_sandbox import processes
from mlp_sandbox.clusters.exchange import SupervisorStatus
from mlp_sandbox.clusters.folder import MARK, ClusterFolder, existing_folders
from mlp_sandbox.clusters.network import network
from mlp_sandbox.clusters.nodes.real import RealNode

STOP_SECONDS = 90.0
_END_SECONDS = 20.0
_POLL_SECONDS = 0.1
# Processes that others depend on stop last.
_STOP_ORDER = ("registry", "kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


@dataclass(frozen=True, kw_only=True)
class ClusterProcesses:
    """Current state of one cluster on this machine. `nodes` maps each name to `state`, `real` and `reason`."""

    cluster_id: str
    name: str
    state: str
    version: str | None
    endpoint: str | None
    supervisor_pid: int | None
    reason: str | None
    processes: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    addons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    real_nodes_possible: bool = True


def describe(home: Path) -> list[ClusterProcesses]:
    """Return the state of every cluster that has files below the home folder. No running emulator is needed."""
    return [_describe(folder) for folder in existing_folders(home)]


def stop_all(home: Path) -> int:
    """Stop every cluster of the home and return how many were running. Their data stays.

    Stop the emulator first, because it restarts supervisors. Raises SandboxError when a process does not end.
    """
    folders = list(existing_folders(home))
    with ThreadPoolExecutor(max_workers=max(1, len(folders))) as pool:
        return sum(pool.map(stop, folders))


def stop(folder: ClusterFolder) -> bool:
    """Stop one cluster. Returns True if any part of it was running."""
    ran = stop_supervisor(folder)
    return clean(folder) or ran


def stop_supervisor(folder: ClusterFolder) -> bool:
    """Stop the supervisor of a cluster. Returns True if it was running.

    The supervisor first stops the processes that it started, which takes a while. A supervisor that hangs is killed.
    """
    pid = processes.running(folder.supervisor_pid)
    if pid is not None:
        try:
            process = psutil.Process(pid)
            process.terminate()
            process.wait(STOP_SECONDS)
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
    folder.supervisor_pid.unlink(missing_ok=True)
    return pid is not None


def clean(folder: ClusterFolder) -> bool:
    """Stop the remaining processes of a cluster, and remove its network. Returns True if anything was running.

    The cluster's supervisor must have ended, or must be the caller.
    """
    ran = False
    for node in sorted(folder.nodes.iterdir()) if folder.nodes.is_dir() else []:
        if node.is_dir():
            ran = ran or any((node / name).exists() for name in ("init.pid", "state.json"))
            RealNode.clean(node)
    pid_files = {path.stem: path for path in folder.run.glob("*.pid")} if folder.run.is_dir() else {}
    for name in sorted(pid_files, key=_place_in_order):
        ran = processes.stop(pid_files[name]) or ran
    ran = _end_marked(folder) or ran
    if os.geteuid() == 0:
        network.remove(folder)
    folder.status.unlink(missing_ok=True)
    return ran


def marked(folder: ClusterFolder) -> list[int]:
    """Return the pids of all processes that carry the cluster's mark, except the caller's."""
    mark = str(folder.root.resolve())
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _end_marked(folder: ClusterFolder) -> bool:
    """End processes that lost their pid files because of a kill. Returns True if there were any."""
    left = marked(folder)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked(folder):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + _END_SECONDS
        while marked(folder) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    return bool(left)


def _place_in_order(name: str) -> int:
    return _STOP_ORDER.index(name) if name in _STOP_ORDER else -1


def _describe(folder: ClusterFolder) -> ClusterProcesses:
    status = SupervisorStatus.read(folder)
    supervisor = processes.running(folder.supervisor_pid)
    running = {path.stem: processes.running(path) for path in sorted(folder.run.glob("*.pid"))}
    if status is None:
        state = "creating" if supervisor else "stopped"
    else:
        state = _state(folder, status, supervisor, any(running.values()))
    return ClusterProcesses(
        cluster_id=folder.root.name,
        name=status.name if status else folder.root.name,
        state=state,
        version=status.version if status else None,
        endpoint=status.endpoint if status else None,
        supervisor_pid=supervisor,
        reason=status.reason if status else None,
        processes=running,
        nodes={name: {"state": n.state, "real": n.real, "reason": n.reason} for name, n in status.nodes.items()}
        if status
        else {},
        addons={name: {"state": a.state, "reason": a.reason} for name, a in status.addons.items()} if status else {},
        real_nodes_possible=status.real_nodes_possible if status else os.geteuid() == 0,
    )


def _state(folder: ClusterFolder, status: SupervisorStatus, supervisor: int | None, something_runs: bool) -> str:
    if supervisor is None:
        return "unattended" if something_runs else "stopped"
    try:
        # A status that an earlier supervisor wrote is out of date.
        fresh = folder.status.stat().st_mtime >= psutil.Process(supervisor).create_time()
    except (OSError, psutil.Error):
        fresh = False
    return status.state if fresh else "starting"
