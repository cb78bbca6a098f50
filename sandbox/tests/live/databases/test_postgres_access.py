"""Access to instances: accepted users, TLS and roles."""

import subprocess

import psutil
import psycopg
import pytest

from mlp_sandbox.databases.postgres.binaries import installed
from sandbox.tests.live.databases.databases import PASSWORD, Running, database


def test_the_master_user_connects_over_verified_tls_on_the_port_that_was_asked_for(running: Running):
    instance = database()
    status = running.available(instance)
    assert status.port == 5432
    with running.connect(instance) as connection:
        row = connection.execute(
            "SELECT current_user, current_database(), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())"
        ).fetchone()
    assert row == ("mlflow_admin", "mlflow", True)


def test_without_tls_the_connection_is_refused_when_tls_is_forced(running: Running):
    instance = database(tls_forced=True)
    running.available(instance)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        running.connect(instance, sslmode="disable")


def test_a_changed_force_ssl_counts_without_a_restart_of_the_server(running: Running):
    running.available(database(tls_forced=True))
    instance = database(tls_forced=False)
    with running.connect(instance) as held:
        running.available(instance)
        assert held.execute("SELECT 1").fetchone() == (1,)
    with running.connect(instance, sslmode="disable") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_wrong_password_is_refused(running: Running):
    instance = database()
    running.available(instance)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        running.connect(instance, password="wrong")


def test_a_changed_password_replaces_the_old_one(running: Running):
    old, new = database(), database(master_password="another one")
    running.available(old)
    running.available(new)
    with running.connect(new):
        pass
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        running.connect(old)


def test_the_superuser_cannot_log_in_over_the_network(running: Running):
    instance = database()
    running.available(instance)
    with pytest.raises(psycopg.OperationalError, match="rejects connection"):
        running.connect(instance, user="rdsadmin")


def test_the_master_user_owns_its_database_makes_roles_and_is_no_superuser(running: Running):
    instance = database()
    running.available(instance)
    with running.connect(instance) as connection:
        connection.execute("CREATE TABLE public.runs (id int)")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
        connection.execute("CREATE DATABASE second")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER SYSTEM SET work_mem = '1MB'")
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (False,)


def test_an_instance_without_database_name_still_lets_the_master_user_in(running: Running):
    instance = database(db_name=None)
    running.available(instance)
    with running.connect(instance) as connection:
        connection.execute("CREATE TABLE t (id int)")


def test_the_reserved_master_user_is_refused_with_the_field_and_the_fix(running: Running):
    running.plane.reconcile([database(master_username="rdsadmin")])
    status = running.plane.status("db-ONE")
    assert status.state == "failed"
    assert status.reason == "master_username 'rdsadmin' is reserved; choose another"


def test_no_password_reaches_a_command_line_a_file_or_a_log(running: Running):
    password = "findable-planted-password"
    running.available(database(parameters={"log_statement": "all"}, master_password=password))
    running.available(database(parameters={"log_statement": "all"}, master_password=password + "2"))
    assert not [p.pid for p in psutil.process_iter() if any(password in part for part in _arguments(p))]
    assert password not in "\n".join(running.log)
    found = subprocess.run(["grep", "-rlF", "--", password, running.home], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    assert "SCRAM-SHA-256$" not in (running.home / "rds/mlp-dev/postgresql.log").read_text()


def test_psql_with_a_url_reaches_the_database(running: Running):
    instance = database()
    status = running.available(instance)
    done = subprocess.run(
        [
            installed()[-1].program("psql"),
            f"postgresql://mlflow_admin@{status.address}:{status.port}/mlflow?sslmode=require",
            "-Atc",
            "SELECT 6 * 7",
        ],
        env={"PGPASSWORD": PASSWORD, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "42", done.stderr


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
