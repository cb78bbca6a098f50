"""Instances over time: data persists, killed servers restart, deleted instances end."""

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from mlp_sandbox.contracts.desired import DatabaseDataPlane
from mlp_sandbox.databases.postgres import PostgresDataPlane, describe, stop_all
from mlp_sandbox.databases.postgres.record import InstanceFolder
from sandbox.tests.live.databases.databases import Running, database


def _pid(running: Running) -> int:
    (found,) = describe(running.home)
    assert found.pid is not None
    return found.pid


def _runs(pid: int) -> bool:
    """Return whether the process runs. A zombie (ended, not yet waited for) does not count as running."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def _answers(running: Running) -> bool:
    try:
        running.connect(database()).close()
    except psycopg.OperationalError:
        return False
    return True


def test_rows_and_address_survive_a_restart_of_the_sandbox(data_plane: Callable[[str], Running]):
    instance = database()
    before = data_plane("home")
    first = before.available(instance)
    with before.connect(instance) as connection:
        connection.execute("CREATE TABLE runs AS SELECT 7 AS id")
    before.plane.close()
    assert [entry.state for entry in describe(before.home)] == ["stopped"]
    after = data_plane("home")
    assert after.available(instance).address == first.address
    with after.connect(instance) as connection:
        assert connection.execute("SELECT id FROM runs").fetchone() == (7,)


def test_a_killed_server_is_started_again_with_its_rows(running: Running):
    instance = database()
    running.available(instance)
    with running.connect(instance) as connection:
        connection.execute("CREATE TABLE runs AS SELECT 7 AS id")
    pid = _pid(running)
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: _answers(running) and _pid(running) != pid)
    with running.connect(instance) as connection:
        assert connection.execute("SELECT id FROM runs").fetchone() == (7,)
    assert any("ended without being asked" in line for line in running.log)


def test_a_stale_pid_file_whose_number_another_process_has_does_not_hinder_the_start(
    data_plane: Callable[[str], Running],
):
    before = data_plane("home")
    before.available(database())
    before.plane.close()
    stale = before.home / "rds/mlp-dev/data/postmaster.pid"
    stale.write_text(f"{os.getpid()}\n/proc/self/fd/9\n1\n5432\n.\n127.0.0.1\n 1 1\nready\n")
    data_plane("home").available(database())


def test_a_server_that_outlived_a_killed_emulator_is_adopted(running: Running, tmp_path: Path):
    program = tmp_path / "emulator.py"
    program.write_text(
        textwrap.dedent("""
            import logging, sys, time
            from pathlib import Path
            from mlp_sandbox.databases.postgres import PostgresDataPlane
            from sandbox.tests.live.databases.databases import database
            PostgresDataPlane(Path(sys.argv[1]), logging.getLogger()).reconcile([database()])
            print("up", flush=True)
            time.sleep(600)
        """)
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(
        [sys.executable, str(program), str(running.home)], stdout=subprocess.PIPE, text=True, env=environment
    ) as emulator:
        assert emulator.stdout is not None
        assert emulator.stdout.readline().strip() == "up"
        emulator.kill()
    pid = _pid(running)
    running.available(database())
    assert _pid(running) == pid
    running.available(database(master_password="changed after adoption"))
    with running.connect(database(master_password="changed after adoption")):
        pass
    assert stop_all(running.home) == 1
    assert not _runs(pid)


def test_a_removed_instance_is_stopped_and_only_its_newest_data_are_kept(running: Running):
    instance = database()
    for _ in range(2):
        running.available(instance)
        with running.connect(instance) as connection:
            connection.execute("CREATE TABLE runs (id int)")  # fails in the second turn if old data came back
        pid = _pid(running)
        running.plane.reconcile([])
        assert not _runs(pid)
        assert describe(running.home) == []
        assert running.plane.status("db-ONE").state == "creating"
    deleted = InstanceFolder(running.home / "rds/deleted/mlp-dev")
    assert deleted.major_on_disk() is not None
    assert [path.name for path in (running.home / "rds/deleted").iterdir()] == ["mlp-dev"]


def test_two_homes_run_the_same_instance_on_the_same_port_side_by_side(data_plane: Callable[[str], Running]):
    one, two = data_plane("one"), data_plane("two")
    instance = database()
    addresses = {one.available(instance).address, two.available(instance).address}
    assert len(addresses) == 2
    with one.connect(instance) as connection:
        connection.execute("CREATE TABLE only_here (id int)")
    with two.connect(instance) as connection:
        assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)
    one.plane.close()
    two.connect(instance).close()


def test_a_half_made_data_directory_is_made_anew(running: Running):
    left = running.home / "rds/mlp-dev/data.new"
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("15\n")
    running.available(database())


def test_an_address_taken_by_a_stranger_fails_with_the_way_out_and_recovers(data_plane: Callable[[str], Running]):
    before = data_plane("home")
    status = before.available(database())
    before.plane.close()
    after = data_plane("home")
    with socket.create_server((str(status.address), 5432)):
        after.plane.reconcile([database()])
        failed = after.plane.status("db-ONE")
        assert failed.state == "failed"
        assert "is taken by another process; end it, or remove" in str(failed.reason)
    after.available(database())


def test_a_changed_port_counts_and_keeps_rows(running: Running):
    running.available(database())
    with running.connect(database()) as connection:
        connection.execute("CREATE TABLE runs AS SELECT 7 AS id")
    instance = database(port=5433)
    assert running.available(instance).port == 5433
    with running.connect(instance) as connection:
        assert connection.execute("SELECT id FROM runs").fetchone() == (7,)


def test_an_identifier_that_would_leave_its_folder_is_refused(running: Running):
    running.plane.reconcile([database(identifier="../escape")])
    status = running.plane.status("db-ONE")
    assert status.state == "failed"
    assert "'../escape' cannot be used" in str(status.reason)


def test_the_data_plane_is_what_the_emulator_expects(tmp_path: Path):
    assert isinstance(PostgresDataPlane(tmp_path, logging.getLogger()), DatabaseDataPlane)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become another user to run PostgreSQL")
def test_as_root_the_server_runs_as_another_user_below_a_folder_that_user_cannot_enter(running: Running):
    running.home.mkdir(mode=0o700)
    running.available(database())
    assert psutil.Process(_pid(running)).uids().effective != 0
