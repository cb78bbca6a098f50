"""Server processes: each starts in a session of its own, is found again by later callers and is stopped by process id.

A server outlives the process that started it. It is recognised by the cluster name on its command line and not by its
working directory, because in containers root may not read the working directory of another account's process.
PostgreSQL repeats the cluster name in the titles of its children, so that the children of a killed server are
recognised as well.
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
"""Longest time of a fast shutdown (SIGINT) before an immediate one (SIGQUIT)."""

IMMEDIATE_SECONDS: Final = 10.0
_ORPHAN_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.05
_children: dict[int, subprocess.Popen[bytes]] = {}


def cluster_name(folder: Path) -> str:
    """Return the name of an instance's processes: readable, and unique over all sandboxes of the machine."""
    return f"{folder.name[:40]}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"


def environment() -> dict[str, str]:
    """Return the environment of servers and their tools.

    It has nothing of the caller's environment, because PG* and LC_* variables would change their behaviour.
    """
    return {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def spawn(install: PostgresInstall, data: DirectoryHandle, mark: str, account: ServiceAccount, log_file: Path) -> int:
    """Start a server whose output goes to `log_file`, and return its process id."""
    with log_file.open("ab") as output:
        child = subprocess.Popen(
            [install.program("postgres"), "-D", data.path, "-c", f"cluster_name={mark}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # The data directory cannot be used: PostgreSQL returns to the folder where it started, and may not enter
            # the parents of its data.
            cwd="/",
            env=environment(),
            pass_fds=(data.descriptor,),
            start_new_session=True,
            **account.spawn_options(),
        )
    _children[child.pid] = child
    return child.pid


def find_server(data: Path, mark: str) -> int | None:
    """Return the process id of the instance's running server, whoever started it, or None."""
    _reap()
    try:
        recorded = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        recorded = 0
    if recorded > 1 and is_server(recorded, mark):
        return recorded
    servers = {process.pid for process in psutil.process_iter() if is_server(process.pid, mark)}
    # A child has its parent's command line until it has set its title.
    return next((pid for pid in sorted(servers) if _parent(pid) not in servers), None)


def is_server(pid: int, mark: str) -> bool:
    """Return whether this process is the server itself and runs."""
    _reap()
    return f"cluster_name={mark}" in _command_line(pid)


def stop_server(data: Path, mark: str) -> None:
    """Stop the server: fast shutdown, immediate shutdown, kill, each after the deadline of the previous one."""
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
    """Wait until the children of a killed server have ended, then kill the rest; they would block a new server."""
    if _gone(lambda: not _processes(mark), patience):
        return
    for pid in _processes(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _gone(lambda: not _processes(mark), IMMEDIATE_SECONDS):
        raise DataPlaneError(f"processes {_processes(mark)} of the instance do not end; end them and try again")


def _processes(mark: str) -> list[int]:
    """Return every process of the instance: the server by its arguments, its children by their titles."""
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
    """Return the command line; empty for a process that has ended, even if its exit status is not collected yet."""
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
