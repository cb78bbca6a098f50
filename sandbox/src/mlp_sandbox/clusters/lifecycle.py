"""The clusters of one sandbox seen from outside the emulator: list them, stop them all, whatever was killed before."""

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
# Those that others need end last.
_STOP_ORDER = ("registry", "kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


@dataclass(frozen=True, kw_only=True)
class ClusterProcesses:
    """One cluster as it is on this machine now. `nodes` is by name: `state`, `real` and `reason` of each."""

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
    """Every cluster that the home keeps something of; works with and without a running emulator."""
    return [_describe(folder) for folder in existing_folders(home)]


def stop_all(home: Path) -> int:
    """Stop every cluster of the home and say how many ran; what they hold stays. Stop the emulator first: it restarts.

    Raises SandboxError when a process does not end.
    """
    folders = list(existing_folders(home))
    with ThreadPoolExecutor(max_workers=max(1, len(folders))) as pool:
        return sum(pool.map(stop, folders))


def stop(folder: ClusterFolder) -> bool:
    """Stop one; whether anything of it ran."""
    ran = stop_supervisor(folder)
    return clean(folder) or ran


def stop_supervisor(folder: ClusterFolder) -> bool:
    """It stops what it started, which takes a while; one that hangs is killed."""
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
    """End what is left of a cluster whose supervisor is gone, or is the caller; whether there was something."""
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
    """Pids of all processes that carry the cluster's mark, the caller left out."""
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
    """What a kill at the wrong moment left without a pid file."""
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
        # What an earlier supervisor wrote says nothing about now.
        fresh = folder.status.stat().st_mtime >= psutil.Process(supervisor).create_time()
    except (OSError, psutil.Error):
        fresh = False
    return status.state if fresh else "starting"
