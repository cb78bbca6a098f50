"""Database cluster of one instance: its data directory, its configuration files and its running server."""

import logging
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

from mlp_sandbox.databases.postgres import process
from mlp_sandbox.databases.postgres.account import ServiceAccount, open_directory
from mlp_sandbox.databases.postgres.binaries import PostgresInstall
from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.record import InstanceFolder
from mlp_sandbox.databases.postgres.settings import SUPERUSER

READY_SECONDS: Final = 120.0
"""Longest time until a server must answer, crash recovery included."""

_TOOL_SECONDS: Final = 180
_LOG_LIMIT: Final = 8 * 1024 * 1024
_POLL_SECONDS: Final = 0.05
_QUIET: Final = "-c log_statement=none -c log_min_error_statement=panic -c log_min_duration_statement=-1"
_OURS: Final = f"{_QUIET} -c default_transaction_read_only=off -c statement_timeout=30s"


class Cluster:
    """Files and server under an instance's folder."""

    def __init__(
        self, folder: InstanceFolder, install: PostgresInstall, account: ServiceAccount, log: logging.Logger
    ) -> None:
        self._folder = folder
        self._install = install
        self._account = account
        self._log = log
        self._mark = process.cluster_name(folder.root)

    def initialise(self) -> None:
        """Make the data directory. An incomplete one is made anew; a complete one is not changed."""
        if self._folder.data.exists():
            return
        fresh = self._folder.root / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        self._account.make_directory(fresh)
        done = self._tool(
            fresh,
            "initdb",
            *("--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C.UTF-8"),
            *("--auth-local", "peer", "--auth-host", "scram-sha-256"),
        )
        if done.returncode != 0:
            raise DataPlaneError(f"initdb failed: {_last_lines(done.stderr)}")
        fresh.rename(self._folder.data)
        self._log.info("%s: made a PostgreSQL %d cluster", self._folder.identifier, self._install.major)

    def server(self) -> int | None:
        """Return the process id of the running server, or None."""
        return process.find_server(self._folder.data, self._mark)

    def install_files(self, settings: str, files: dict[str, str | bytes]) -> bool:
        """Write the configuration files, and return whether any of them changed.

        The server's own parser checks new settings first.

        Raises:
            DataPlaneError: PostgreSQL rejects the settings.
        """
        wanted: dict[str, str | bytes] = {"postgresql.conf": settings, **files}
        changed = {name: content for name, content in wanted.items() if not self._holds(name, content)}
        if "postgresql.conf" in changed:
            self._try_settings(settings)
        for name, content in changed.items():
            self._account.write(self._folder.data / name, content)
        return bool(changed)

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            DataPlaneError: the server ends at once or does not answer in time.
        """
        data = self._folder.data
        process.end_orphans(self._mark)
        # Without orphans no process uses the directory. A stale file with the pid of another process would prevent the
        # start.
        (data / "postmaster.pid").unlink(missing_ok=True)
        self._rotate_log()
        begin = self._folder.log_file.stat().st_size if self._folder.log_file.exists() else 0
        with open_directory(data) as handle:
            pid = process.spawn(self._install, handle, self._mark, self._account, self._folder.log_file)
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if not process.is_server(pid, self._mark) and self.server() is None:
                raise DataPlaneError(f"PostgreSQL ended at once: {self._failure_since(begin)}")
            if time.monotonic() > deadline:
                raise DataPlaneError(f"PostgreSQL does not answer after {READY_SECONDS:.0f} s: see postgresql.log")
            time.sleep(_POLL_SECONDS)

    def reload(self) -> None:
        """Apply changed files, with a restart when a setting needs one."""
        with self.administer() as connection:
            loaded = connection.execute("SELECT pg_conf_load_time()").fetchone()
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + READY_SECONDS
            while connection.execute("SELECT pg_conf_load_time()").fetchone() == loaded:
                if time.monotonic() > deadline:
                    raise DataPlaneError("PostgreSQL does not load its changed settings; see postgresql.log")
                time.sleep(_POLL_SECONDS)
        # The server accepts a new connection only after it has loaded all files, access rules included.
        with self.administer() as connection:
            waiting = connection.execute("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name").fetchall()
        if waiting:
            names = ", ".join(str(row[0]) for row in waiting)
            self._log.info("%s: restarting, needed by %s", self._folder.identifier, names)
            self.stop()
            self.start()

    def stop(self) -> None:
        process.stop_server(self._folder.data, self._mark)

    @contextmanager
    def administer(self) -> Generator[psycopg.Connection]:
        """Connect as the superuser through the socket in the data directory, with the running server's port."""
        with open_directory(self._folder.data) as handle:
            port = (self._folder.data / "postmaster.pid").read_text().splitlines()[3]
            with psycopg.connect(
                host=handle.path,
                port=port,
                user=SUPERUSER,
                dbname="postgres",
                autocommit=True,
                connect_timeout=10,
                options=_OURS,
            ) as connection:
                yield connection

    def _answers(self) -> bool:
        try:
            with self.administer():
                return True
        except (psycopg.OperationalError, FileNotFoundError, IndexError):
            return False

    def _holds(self, name: str, content: str | bytes) -> bool:
        try:
            return (self._folder.data / name).read_bytes() == (
                content.encode() if isinstance(content, str) else content
            )
        except FileNotFoundError:
            return False

    def _try_settings(self, settings: str) -> None:
        trial = self._folder.data / "trial.conf"
        self._account.write(trial, settings)
        done = self._tool(self._folder.data, "postgres", "-c", f"config_file={{data}}/{trial.name}", "-C", "port")
        trial.unlink()
        if done.returncode != 0:
            raise DataPlaneError(f"the parameter group has values that PostgreSQL refuses: {_last_lines(done.stderr)}")

    def _tool(self, data: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs on a data directory; `{data}` in arguments becomes its path."""
        with open_directory(data) as handle:
            return subprocess.run(
                [
                    self._install.program(program),
                    "-D",
                    handle.path,
                    *(part.replace("{data}", handle.path) for part in arguments),
                ],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                timeout=_TOOL_SECONDS,
                check=False,
                cwd="/",
                env=process.environment(),
                pass_fds=(handle.descriptor,),
                **self._account.spawn_options(),
            )

    def _rotate_log(self) -> None:
        log_file = self._folder.log_file
        if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT:
            log_file.replace(log_file.with_suffix(".log.1"))

    def _failure_since(self, begin: int) -> str:
        with self._folder.log_file.open("rb") as file:
            file.seek(begin)
            return _last_lines(file.read().decode(errors="replace"))


def _last_lines(output: str) -> str:
    """Return the few lines that explain a failure, without statements, which may contain anything."""
    telling = [line.strip() for line in output.splitlines() if line.strip() and "STATEMENT:" not in line]
    severe = [line for line in telling if "FATAL" in line or "error" in line or "invalid" in line or "PANIC" in line]
    return " | ".join((severe or telling)[-3:]) or "it said nothing"
