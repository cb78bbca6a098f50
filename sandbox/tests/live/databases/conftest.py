"""Real PostgreSQL servers, each test in a sandbox home of its own."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlp_sandbox.databases.postgres import PostgresDataPlane, stop_all
from mlp_sandbox.databases.postgres.binaries import installed
from sandbox.tests.live.databases.databases import Running


class _Lines(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


@pytest.fixture
def data_plane(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Yield a function that starts a data plane for a home name; all servers stop at the end of the test."""
    if not installed():
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    started: list[Running] = []

    def start(name: str = "home") -> Running:
        lines: list[str] = []
        log = logging.Logger(f"test-{name}")
        log.addHandler(_Lines(lines))
        running = Running(home=tmp_path / name, plane=PostgresDataPlane(tmp_path / name, log), log=lines)
        started.append(running)
        return running

    yield start
    for running in started:
        running.plane.close()
        stop_all(running.home)


@pytest.fixture
def running(data_plane: Callable[[str], Running]) -> Running:
    return data_plane("home")
