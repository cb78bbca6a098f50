"""Background processes that outlive the command that started them; each has a pid file and is ended by its pid."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from mlp_sandbox.errors import SandboxError

STOP_SECONDS = 20.0
FREE_PORT_SECONDS = 10.0


def start(command: Sequence[str], *, pid_file: Path, log: Path, cwd: Path, env: Mapping[str, str]) -> int:
    """Start a process detached from the terminal, append its output to `log`, and return its pid."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,  # Ctrl-C in the terminal must not reach it
        )
    started = psutil.Process(process.pid).create_time()
    pid_file.write_text(json.dumps({"pid": process.pid, "started": started}))
    return process.pid


def running(pid_file: Path) -> int | None:
    """Return the pid while the process runs, else None.

    The start time distinguishes it from a later process with the same pid.
    """
    try:
        noted = json.loads(pid_file.read_text())
        process = psutil.Process(int(noted["pid"]))
        if abs(process.create_time() - noted["started"]) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process.pid
    except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
        pass
    return None


def stop(pid_file: Path, seconds: float = STOP_SECONDS) -> bool:
    """End the process (SIGTERM, after `seconds` SIGKILL) and wait until it is gone.

    Return False when it was not running.
    """
    pid = running(pid_file)
    if pid is None:
        pid_file.unlink(missing_ok=True)
        return False
    process = psutil.Process(pid)
    try:
        process.terminate()
        process.wait(seconds)
    except psutil.TimeoutExpired:
        os.kill(pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        pass
    pid_file.unlink(missing_ok=True)
    return True


def require_free_port(port: int, what: str) -> None:
    """Wait until a port is free.

    Raises:
        SandboxError: another process has the port; the message names the process.
    """
    # A process that was just killed may still hold the port for a moment.
    deadline = time.monotonic() + FREE_PORT_SECONDS
    while not _is_free(port):
        owner = _owner(port)
        if owner or time.monotonic() > deadline:
            raise SandboxError(
                f"port {port} for {what} is taken by {owner or 'another process'}; stop it, or choose another: "
                f"`mlp sandbox up --port {port + 1}`"
            )
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _owner(port: int) -> str | None:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN
            if listens and connection.pid is not None:  # None: the process is just ending
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except (psutil.Error, OSError):
        pass
    return None
