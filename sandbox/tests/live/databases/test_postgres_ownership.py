"""Data belongs to an instance, not to its name: stopped, renamed, swapped and created again."""

from collections.abc import Callable
from typing import Any

import psutil

from mlp_sandbox.databases.postgres import describe
from sandbox.tests.live.databases.databases import Running, database


def _write(running: Running, value: int, **changes: Any) -> None:
    running.available(database(**changes))
    with running.connect(database(**changes)) as connection:
        connection.execute("CREATE TABLE runs (id int)")
        connection.execute("INSERT INTO runs VALUES (%s)", (value,))


def _rows(running: Running, **changes: Any) -> list[Any]:
    with running.connect(database(**changes)) as connection:
        return connection.execute("SELECT id FROM runs").fetchall()


def test_a_stopped_instance_ends_its_server_and_a_start_brings_its_rows_back(running: Running):
    _write(running, 7)
    [before] = describe(running.home)
    running.plane.reconcile([database(running=False)])
    assert running.plane.status("db-ONE").state == "stopped"
    assert before.pid is not None
    assert not psutil.pid_exists(before.pid)
    status = running.available(database())
    assert status.address == before.address
    assert _rows(running) == [(7,)]


def test_a_stopped_instance_is_not_started_by_the_watch_or_a_restart(data_plane: Callable[[str], Running]):
    before = data_plane("home")
    _write(before, 7)
    before.plane.close()
    after = data_plane("home")
    for _ in range(2):
        after.plane.reconcile([database(running=False)])
    assert after.plane.status("db-ONE").state == "stopped"
    assert not after.plane._needs_care(database(running=False))
    assert [found.state for found in describe(after.home)] == ["stopped"]
    after.available(database())
    assert _rows(after) == [(7,)]


def test_a_new_instance_of_a_deleted_identifier_does_not_get_the_old_rows(running: Running):
    _write(running, 7)
    running.available(database(resource_id="db-TWO"))
    with running.connect(database(resource_id="db-TWO")) as connection:
        assert connection.execute("SELECT to_regclass('runs')").fetchone() == (None,)
    assert (running.home / "rds/deleted/mlp-dev/data/PG_VERSION").exists()


def test_a_renamed_instance_keeps_its_rows_and_its_old_name_is_free(running: Running):
    _write(running, 7)
    renamed, successor = database(identifier="renamed"), database(resource_id="db-TWO")
    running.plane.reconcile([renamed, successor])
    assert _rows(running, identifier="renamed") == [(7,)]
    with running.connect(successor) as connection:
        assert connection.execute("SELECT to_regclass('runs')").fetchone() == (None,)


def test_two_instances_that_swap_their_names_keep_their_rows(running: Running):
    one, two = database(identifier="a"), database(identifier="b", resource_id="db-TWO")
    running.plane.reconcile([one, two])
    for number, instance in enumerate((one, two)):
        with running.connect(instance) as connection:
            connection.execute("CREATE TABLE runs (id int)")
            connection.execute("INSERT INTO runs VALUES (%s)", (number,))
    running.plane.reconcile([database(identifier="b"), database(identifier="a", resource_id="db-TWO")])
    assert _rows(running, identifier="b") == [(0,)]
    assert _rows(running, identifier="a", resource_id="db-TWO") == [(1,)]


def test_data_of_an_earlier_version_belong_to_their_identifier(data_plane: Callable[[str], Running]):
    before = data_plane("home")
    _write(before, 7)
    before.plane.close()
    record = before.home / "rds/mlp-dev/instance.json"
    record.write_text(record.read_text().replace(',\n  "resource_id": "db-ONE"', ""))
    assert "resource_id" not in record.read_text()
    after = data_plane("home")
    after.available(database())
    assert _rows(after) == [(7,)]
    assert '"db-ONE"' in record.read_text()


def test_what_is_in_the_way_of_a_renamed_instance_fails_by_name_and_loses_nothing(running: Running):
    _write(running, 7)
    (running.home / "rds/renamed").mkdir()
    renamed = database(identifier="renamed")
    running.plane.reconcile([renamed])
    status = running.plane.status("db-ONE")
    assert status.state == "failed"
    assert "its data lie in" in str(status.reason)
    (running.home / "rds/renamed").rmdir()
    running.available(renamed)
    assert _rows(running, identifier="renamed") == [(7,)]
