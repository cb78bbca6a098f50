"""Parameter groups become settings of the running server."""

from sandbox.tests.live.databases.databases import Running, database


def _show(running: Running, name: str) -> str:
    with running.connect(database()) as connection:
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_a_changed_parameter_is_applied_without_ending_connections(running: Running):
    running.available(database())
    with running.connect(database()) as held:
        running.available(database(parameters={"work_mem": "8192", "log_line_prefix": "it's %m\\"}))
        assert held.execute("SELECT current_setting('log_line_prefix')").fetchone() == ("it's %m\\",)
    assert _show(running, "work_mem") == "8MB"


def test_a_parameter_that_needs_a_restart_gets_one(running: Running):
    running.available(database())
    running.available(database(parameters={"max_connections": "37", "rds.logical_replication": "1"}))
    assert _show(running, "max_connections") == "37"
    assert _show(running, "wal_level") == "logical"


def test_a_parameter_that_left_the_group_goes_back_to_its_default(running: Running):
    running.available(database(parameters={"max_connections": "37"}))
    running.available(database())
    assert _show(running, "max_connections") == "100"


def test_a_value_that_the_server_refuses_fails_by_name_and_leaves_the_server_running(running: Running):
    running.available(database())
    with running.connect(database()) as held:
        running.plane.reconcile([database(parameters={"work_mem": "much"})])
        status = running.plane.status("db-ONE")
        assert status.state == "failed"
        assert 'invalid value for parameter "work_mem": "much"' in str(status.reason)
        assert held.execute("SELECT 1").fetchone() == (1,)
    running.available(database(parameters={"work_mem": "4096"}))


def test_what_of_a_group_cannot_be_applied_is_told(running: Running):
    status = running.available(
        database(
            parameters={
                "rds.log_retention_period": "4320",
                "shared_preload_libraries": "pg_stat_statements,rdsutils",
                "no_such_parameter": "1",
                "listen_addresses": "*",
            }
        )
    )
    for told in (
        "rds.log_retention_period: an RDS feature",
        "library 'rdsutils' is not installed",
        "no_such_parameter: unknown to this PostgreSQL version",
        "listen_addresses: decided by the sandbox",
    ):
        assert told in str(status.note)
        assert any(told in line for line in running.log)
    assert _show(running, "shared_preload_libraries") == "pg_stat_statements"
    assert _show(running, "listen_addresses") == status.address


def test_durability_stays_on_and_memory_small(running: Running):
    running.available(database(parameters={"fsync": "off"}))
    assert _show(running, "fsync") == "on"
    assert _show(running, "shared_buffers") == "32MB"


def test_another_major_version_than_installed_runs_and_is_told(running: Running):
    status = running.available(database(engine_version="99.1"))
    assert "in place of 99.1" in str(status.note)
    assert "apt-get install postgresql-99" in str(status.note)
