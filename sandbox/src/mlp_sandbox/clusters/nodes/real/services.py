"""Services of a node: they are started in order and restarted when they end, and their logs are kept small."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from mlp_sandbox.clusters.nodes.real.plan import Service

LOG_LIMIT = 8 * 1024 * 1024
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_WELL_SECONDS = 20.0
"""Minimum run time after which a service restarts with the shortest pause."""


class Running:
    """One service: its process, and the earliest time of its next start."""

    def __init__(self, service: Service, log: Path) -> None:
        self.service = service
        self.pid: int | None = None
        self._log = log / f"{service.name}.log"
        self._started = 0.0
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0

    @property
    def wanted(self) -> bool:
        return self.service.while_exists is None or Path(self.service.while_exists).exists()

    def step(self, now: float) -> None:
        """Start or end the process if necessary."""
        if not self.wanted:
            self.signal(signal.SIGTERM)
        elif self.pid is None and now >= self._not_before and self._may_start():
            self.pid = self._spawn()
            self._started = now
        self._bound_log()

    def ended(self, status: int, now: float) -> None:
        self.pid = None
        self._pause = _FIRST_PAUSE if now - self._started > _WELL_SECONDS else min(self._pause * 2, _LONGEST_PAUSE)
        self._not_before = now + self._pause
        with self._log.open("a") as file:
            file.write(f"--- {self.service.name} ended with {os.waitstatus_to_exitcode(status)}\n")

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, number)

    def _may_start(self) -> bool:
        return self.service.after is None or Path(self.service.after).exists()

    def _spawn(self) -> int:
        # Not subprocess, which also waits for its children: the first process reaps all processes in one place.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.posix_spawn(
            self.service.command[0],
            self.service.command,
            self.service.environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._log), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
        )

    def _bound_log(self) -> None:
        try:
            if self._log.stat().st_size > LOG_LIMIT:
                # The process has the file open for appending: copy the content, then truncate the file in place.
                self._log.with_suffix(".log.1").write_bytes(self._log.read_bytes())
                os.truncate(self._log, 0)
        except FileNotFoundError:
            pass


class Services:
    """All services of a node, and the state file that shows them outside the node."""

    def __init__(self, services: Sequence[Service], log: Path, state: Path) -> None:
        self.each = [Running(service, log) for service in services]
        self._state = state
        self._written = 0.0

    def step(self) -> None:
        now = time.monotonic()
        for running in self.each:
            running.step(now)
        self._write(now)

    def reap(self) -> None:
        """Reap every ended process: services, and orphans that the namespace reparented to its first process."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for running in self.each:
                if running.pid == pid:
                    running.ended(status, time.monotonic())
                    self._written = 0.0

    def pids(self) -> set[int]:
        return {running.pid for running in self.each if running.pid is not None}

    def _write(self, now: float) -> None:
        if now - self._written < 2.0:
            return
        self._written = now
        state = {running.service.name: running.pid for running in self.each if running.wanted}
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._state)
