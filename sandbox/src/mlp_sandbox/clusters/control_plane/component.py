"""Process that is kept running: found by its pid file, restarted with a growing delay, and with a limited log size."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlp_sandbox import processes
from mlp_sandbox.clusters.exchange import PartStatus
from mlp_sandbox.clusters.folder import MARK, ClusterFolder, write_if_changed

LOG_LIMIT = 16 * 1024 * 1024
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0
_WELL_SECONDS = 30.0
_ASK_SECONDS = 5.0
_TAIL_LINES = 3
# After this time the process is killed. No data is lost: the API server stores accepted writes in etcd, and etcd in its
# file. On SIGTERM, an API server would wait up to a minute for open connections.
_STOP_SECONDS = 5.0
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True, kw_only=True)
class Command:
    """Program with its arguments.

    Attributes:
        ready: Called with the pid of the process; returns True if it is ready.
        after: Names of the components that must be ready before it starts.
        version: Changes with the content of files that the program reads only at its start.
    """

    name: str
    arguments: tuple[str, ...]
    ready: Callable[[int], bool] = field(compare=False)
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    version: str = ""

    def text(self) -> str:
        return "\n".join(
            (*self.arguments, *(f"{key}={value}" for key, value in self.environment.items()), self.version)
        )


class Component:
    """One process of a cluster. `step` starts it if it does not run, and `state` returns its status."""

    def __init__(self, folder: ClusterFolder, command: Command) -> None:
        self.command = command
        self.restarts = 0
        self.ready = False
        self._folder = folder
        self._pid_file = folder.run / f"{command.name}.pid"
        self._command_file = folder.run / f"{command.name}.command"
        self._log = folder.log / f"{command.name}.log"
        self._started: float | None = None
        self._pause = _FIRST_PAUSE
        self._not_before = 0.0
        self._asked = 0.0
        self._pid: int | None = None
        self._runs_as: str | None = None

    def step(self, *, may_start: bool = True) -> None:
        """Start the process if it does not run, stop it if its command has changed, and check whether it is ready."""
        now = time.monotonic()
        self._pid = processes.running(self._pid_file)
        if self._pid is not None and self._runs_otherwise(now):
            self.stop()
        elif self._pid is None and self._started is not None:
            self._ended(now)
            self.ready = False
        if self._pid is None and may_start and now >= self._not_before:
            self._start(now)
        self._bound_log()
        self._ask(now)

    def stop(self) -> None:
        processes.stop(self._pid_file, seconds=_STOP_SECONDS)
        self._pid, self._started, self.ready = None, None, False

    def state(self) -> PartStatus:
        if self.ready:
            return PartStatus(state="running", pid=self._pid, restarts=self.restarts)
        if self._pid is not None:
            return PartStatus(state="starting", pid=self._pid, restarts=self.restarts)
        reason = f"it ended; it is started again. See {self._log}: {self._tail()}" if self.restarts else None
        return PartStatus(state="waiting", reason=reason, restarts=self.restarts)

    def _ask(self, now: float) -> None:
        """Check whether the process is ready. A ready process is checked only every few seconds."""
        if self._pid is None:
            self.ready = False
        elif not self.ready or now - self._asked > _ASK_SECONDS:
            self._asked = now
            self.ready = self.command.ready(self._pid)

    def _start(self, now: float) -> None:
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment |= {**self.command.environment, MARK: str(self._folder.root.resolve())}
        self._runs_as = self.command.text()
        write_if_changed(self._command_file, self._runs_as)
        self._pid = processes.start(
            self.command.arguments, pid_file=self._pid_file, log=self._log, cwd=self._folder.root, env=environment
        )
        self._started = now

    def _ended(self, now: float) -> None:
        well = self._started is not None and now - self._started > _WELL_SECONDS
        self._pause = _FIRST_PAUSE if well else min(self._pause * 2, _LONGEST_PAUSE)
        self._not_before = now + (0.0 if well else self._pause)
        self._started = None
        self.restarts += 1

    def _runs_otherwise(self, now: float) -> bool:
        if self._started is None:  # an earlier supervisor started it
            self._started = now
            try:
                self._runs_as = self._command_file.read_text()
            except OSError:
                self._runs_as = None
        return self._runs_as != self.command.text()

    def _tail(self) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log.stat().st_size - 4096))
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return " | ".join(line.strip()[:300] for line in lines[-_TAIL_LINES:])

    def _bound_log(self) -> None:
        try:
            if self._log.stat().st_size > LOG_LIMIT:
                # The process has the file open for appending: copy the content, then truncate the file in place.
                self._log.with_suffix(".log.1").write_bytes(self._log.read_bytes())
                os.truncate(self._log, 0)
        except FileNotFoundError:
            pass
