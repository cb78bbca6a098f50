"""Server processes: started in their own session, found again by whoever comes later, stopped by process id.

A server outlives the process that started it. It is recognised by the cluster name on its command line, not by its
working directory: in containers root may not read the latter of another account's process. PostgreSQL repeats the
cluster name in the titles of its children, so that what a killed server leaves behind is recognised as well.
"""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from mlp_sandbox.databases.postgres.account import DirectoryHandle, ServiceAccount
from mlp_sandbox.databases.postgres.binaries import PostgresInstall
from mlp_sandbox.databases.postgres.errors import DataPlaneError

FAST_SECONDS: Final = 30.0
"""How long a fast shutdown (SIGINT) may take before an immediate one (SIGQUIT)."""

IMMEDIATE_SECONDS: Final = 10.0
_ORPHAN_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.05
_children: dict[int, subprocess.Popen[bytes]] = {}


def cluster_name(folder: Path) -> str:
    """The mark of an instance's processes: readable, and unique over all sandboxes of the machine."""
    return f"{folder.name[:40]}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"


def environment() -> dict[str, str]:
    """What servers and their tools see: nothing of the caller's, whose PG* and LC_* variables would change them."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def spawn(install: PostgresInstall, data: DirectoryHandle, mark: str, account: ServiceAccount, log_file: Path) -> int:
    """Start a server; its output goes to `log_file`."""
    with log_file.open("ab") as output:
        child = subprocess.Popen(
            [install.program("postgres"), "-D", data.path, "-c", f"cluster_name={mark}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Not the data directory: PostgreSQL returns to where it started, and may not enter the parents of its data.
            cwd="/",
            env=environment(),
            pass_fds=(data.descriptor,),
            start_new_session=True,
            **account.spawn_options(),
        )
    _children[child.pid] = child
    return child.pid


def find_server(data: Path, mark: str) -> int | None:
    """The process id of the instance's running server, whoever started it."""
    _reap()
    try:
        recorded = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        recorded = 0
    if recorded > 1 and is_server(recorded, mark):
        return recorded
    servers = {process.pid for process in psutil.process_iter() if is_server(process.pid, mark)}
    # A child carries its parent's command line until it has set its title.
    return next((pid for pid in sorted(servers) if _parent(pid) not in servers), None)


def is_server(pid: int, mark: str) -> bool:
    """Whether this process is the server itself and runs."""
    _reap()
    return f"cluster_name={mark}" in _command_line(pid)


def stop_server(data: Path, mark: str) -> None:
    """Stop in order of politeness, each with a deadline: fast shutdown, immediate shutdown, kill."""
    for how, seconds in ((signal.SIGINT, FAST_SECONDS), (signal.SIGQUIT, IMMEDIATE_SECONDS)):
        pid = find_server(data, mark)
        if pid is None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        if _gone(lambda pid=pid: not is_server(pid, mark), seconds):
            break
    end_orphans(mark, _POLL_SECONDS)
    if find_server(data, mark) is not None:
        raise DataPlaneError(f"PostgreSQL {find_server(data, mark)} does not end; see {data.parent / 'postgresql.log'}")


def end_orphans(mark: str, patience: float = _ORPHAN_SECONDS) -> None:
    """Wait for the children of a killed server, which end by themselves, then kill; they would block a new one."""
    if _gone(lambda: not _processes(mark), patience):
        return
    for pid in _processes(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _gone(lambda: not _processes(mark), IMMEDIATE_SECONDS):
        raise DataPlaneError(f"processes {_processes(mark)} of the instance do not end; end them and try again")


def _processes(mark: str) -> list[int]:
    """Every process of the instance: the server by its arguments, its children by their titles."""
    _reap()
    return [
        process.pid
        for process in psutil.process_iter()
        if any(
            part == f"cluster_name={mark}" or part.startswith(f"postgres: {mark}: ")
            for part in _command_line(process.pid)
        )
    ]


def _command_line(pid: int) -> list[str]:
    """Empty for a process that ended, also while nobody has collected its exit status."""
    try:
        return psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return []


def _parent(pid: int) -> int:
    try:
        return psutil.Process(pid).ppid()
    except psutil.NoSuchProcess:
        return 0


def _gone(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _reap() -> None:
    for pid in [pid for pid, child in list(_children.items()) if child.poll() is not None]:
        _children.pop(pid, None)
