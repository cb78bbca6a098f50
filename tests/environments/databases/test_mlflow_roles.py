"""MLflow's own roles at a real PostgreSQL: ownership, takeover from the master user, and rotation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from mlflow_server import roles
from mlflow_server.administration import Administration, make_ready
from mlflow_server.database import Database
from mlflow_server.rotate_database import rotate
from mlflow_server.secrets_manager import Document, SecretsManager
from mlflow_server.settings import SetUpSettings
from moto import mock_aws
from sqlalchemy import Engine, event

from mlp_sandbox.contracts.desired import DatabaseInstance
from mlp_sandbox.databases.postgres.record import instance_folder
from sandbox.tests.live.databases.databases import PASSWORD, Running, database

DATABASES = ("mlflow", "mlflow_auth")
REFUSED = psycopg.OperationalError
OWNED = """
CREATE SCHEMA more;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE runs (id serial PRIMARY KEY, name text, mood mood);
CREATE TABLE more."Odd:Name%" (id int GENERATED ALWAYS AS IDENTITY, run int REFERENCES runs);
CREATE TABLE alembic_version (version_num text);
CREATE SEQUENCE free;
CREATE VIEW names AS SELECT name FROM runs;
CREATE FUNCTION answer(int) RETURNS int LANGUAGE sql AS 'SELECT 42';
INSERT INTO runs (name) VALUES ('old');
"""
STRANGERS = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('public', 'more') AND c.relkind IN ('r', 'v', 'S') AND c.relowner <> 'mlflow_owner'::regrole
UNION ALL SELECT typname FROM pg_type WHERE typname = 'mood' AND typowner <> 'mlflow_owner'::regrole
UNION ALL SELECT proname FROM pg_proc WHERE proname = 'answer' AND proowner <> 'mlflow_owner'::regrole
UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'more' AND nspowner <> 'mlflow_owner'::regrole
"""


class KilledError(Exception):
    """The Job's pod was killed."""


@dataclass
class World:
    """A database instance, its secrets, and the Job's settings."""

    running: Running
    instance: DatabaseInstance
    settings: SetUpSettings
    vault: SecretsManager

    @property
    def administration(self) -> Administration:
        return Administration(settings=self.settings, vault=self.vault, driver="psycopg")

    @property
    def login(self) -> Document:
        return self.vault.must_read(self.settings.database_secret)

    def connect(self, login: Document | None = None, dbname: str = "mlflow") -> psycopg.Connection:
        who = login or self.login
        return self.running.connect(self.instance, user=who["username"], password=who["password"], dbname=dbname)

    def master(self, dbname: str = "mlflow") -> psycopg.Connection:
        return self.running.connect(self.instance, dbname=dbname)

    def ready(self) -> None:
        make_ready(self.administration)

    def rotate(self, wait: Callable[[float], object] = lambda _: None) -> None:
        rotate(self.administration, wait)

    def may_sign_in(self) -> list[str]:
        with self.master() as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'mlflow\\_%' AND rolcanlogin")
            return sorted(str(row[0]) for row in rows)


@pytest.fixture
def world(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    instance = database(master_username="mlflow", parameters={"log_statement": "ddl"})
    status = running.available(instance)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(status.ca_bundle),
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("secretsmanager")
        arns = {name: client.create_secret(Name=name)["ARN"] for name in ("login", "admin")}
        held = f'{{"username": "mlflow", "password": "{PASSWORD.replace(chr(92), chr(92) * 2)}"}}'
        master = client.create_secret(Name="rds!db-1", SecretString=held)["ARN"]
        settings = SetUpSettings(
            region="us-east-1",
            database_host=str(status.address),
            database_port=int(status.port or 0),
            database_secret=arns["login"],
            admin_secret=arns["admin"],
            master_secret=master,
            credentials=tmp_path / "credentials",
        )
        yield World(running, instance, settings, SecretsManager())


@contextmanager
def killed_after(steps: int) -> Generator[None]:
    """Abort the block at the statement that follows the given number of statements."""
    left = steps

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def strangers(world: World, dbname: str) -> list[str]:
    """Return the objects that do not belong to MLflow's own role."""
    with world.master(dbname) as connection:
        return [str(row[0]) for row in connection.execute(STRANGERS)]


def one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def made_by_the_master(world: World) -> None:
    """Set up databases as an older environment has them: the server signs in as the master user."""
    with world.master() as connection:
        connection.execute("CREATE DATABASE mlflow_auth")
    for name in DATABASES:
        with world.master(name) as connection:
            connection.execute(OWNED.encode())


def test_the_server_owns_its_databases_and_may_do_nothing_else(world: World) -> None:
    world.ready()
    for name in DATABASES:
        with world.connect(dbname=name) as connection:
            connection.execute("CREATE TABLE things (id serial)")
            assert one(connection, "SELECT tableowner FROM pg_tables WHERE tablename = 'things'") == "mlflow_owner"
            owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
            assert one(connection, owner) == "mlflow_owner"
    with world.connect() as connection:
        for statement in ("CREATE DATABASE more", "CREATE ROLE friend", "SET ROLE mlflow", "SET ROLE rds_superuser"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        open_ones = connection.execute(
            "SELECT datname FROM pg_database WHERE datallowconn AND has_database_privilege(oid, 'CONNECT')"
        )
        # The last is the server's own, which on RDS belongs to RDS.
        assert {str(row[0]) for row in open_ones} <= {*DATABASES, "template1"}
    with pytest.raises(REFUSED, match="permission denied for database"):
        world.connect(dbname="postgres")
    assert world.may_sign_in() == ["mlflow_server_a"]


def test_nobody_else_gets_into_its_databases(world: World) -> None:
    world.ready()
    with world.master() as connection:
        connection.execute("CREATE ROLE somebody LOGIN PASSWORD 'x'")
    for name in DATABASES:
        with pytest.raises(REFUSED, match="permission denied for database"):
            world.connect({"username": "somebody", "password": "x"}, name)


def test_a_second_time_changes_nothing(world: World) -> None:
    world.ready()
    login = world.login
    world.ready()
    assert world.login == login
    world.connect().close()


def test_what_belonged_to_the_master_user_changes_hands_while_its_sessions_go_on(world: World) -> None:
    made_by_the_master(world)
    with world.master() as old:
        world.ready()
        assert [strangers(world, name) for name in DATABASES] == [[], []]
        old.execute("INSERT INTO runs (name) VALUES ('by an old server')")
        with world.master() as another:
            another.execute('INSERT INTO more."Odd:Name%" (run) VALUES (1)')
        with world.connect() as connection:
            assert one(connection, "SELECT count(*) FROM names") == 2
            connection.execute("INSERT INTO runs (name) VALUES ('by the new one')")
            connection.execute("ALTER TABLE runs ADD COLUMN later text")
            connection.execute("CREATE TABLE later (id serial)")
        assert one(old, "SELECT count(*) FROM runs") == 3
        old.execute("INSERT INTO later DEFAULT VALUES")
    assert strangers(world, "mlflow") == []


def test_killed_at_any_statement_it_goes_on_where_it_was(world: World) -> None:
    made_by_the_master(world)
    steps = 0
    for steps in range(500):
        try:
            with killed_after(steps):
                world.ready()
        except KilledError:
            with world.master() as old:
                old.execute("INSERT INTO runs (name) VALUES ('meanwhile')")
        else:
            break
    assert steps > 20
    assert [strangers(world, name) for name in DATABASES] == [[], []]
    with world.connect() as connection:
        assert one(connection, "SELECT count(*) FROM runs") == steps + 1


def test_a_table_in_use_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made_by_the_master(world)
    with world.running.connect(world.instance, autocommit=False) as old:
        old.execute("INSERT INTO runs (name) VALUES ('a long transaction')")
        timer = threading.Timer(6.5, old.commit)
        timer.start()
        began = time.monotonic()
        world.ready()
        assert time.monotonic() - began > 6
        timer.join()
    assert strangers(world, "mlflow") == []


def test_a_role_that_may_more_is_named(world: World) -> None:
    world.ready()
    with world.master() as connection:
        connection.execute("GRANT rds_superuser TO mlflow_server_a")
    with pytest.raises(roles.RoleError, match="the roles mlflow_server_a may more than use MLflow's databases"):
        world.ready()


def test_no_connection_fails_and_no_session_ends_while_the_password_is_rotated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ready()
    file = Database(settings=world.settings, vault=world.vault)
    file.refresh()
    monkeypatch.setenv("PGSERVICEFILE", str(file.services))
    before, failures, connected = world.login, list[str](), list[str]()
    ended = threading.Event()

    def connect_on() -> None:
        """Connect repeatedly as the server does: through libpq's file, which is up to a second old."""
        while not ended.is_set():
            try:
                with psycopg.connect("service=mlflow dbname=mlflow") as connection:
                    connected.append(str(one(connection, "SELECT session_user")))
            except psycopg.Error as error:
                failures.append(str(error))

    def refresh_on() -> None:
        while not ended.wait(1.0):
            file.refresh()

    threads = [threading.Thread(target=each) for each in (connect_on, refresh_on)]
    with world.connect() as session:
        for thread in threads:
            thread.start()
        world.rotate(lambda _: time.sleep(3))
        ended.set()
        for thread in threads:
            thread.join()
        assert one(session, "SELECT session_user") == before["username"]
    assert failures == []
    assert list(dict.fromkeys(connected)) == ["mlflow_server_a", "mlflow_server_b"]
    with pytest.raises(REFUSED):
        world.connect(before)
    assert world.may_sign_in() == ["mlflow_server_b"]


def test_a_rotation_that_is_killed_at_any_step_leaves_a_password_that_works_and_is_mended_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ready()
    client = world.vault._client
    real = {name: getattr(client, name) for name in ("put_secret_value", "update_secret_version_stage")}
    left = 0

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError

    def counted(name: str) -> Callable[..., object]:
        def call(**given: Any) -> object:
            step()
            return real[name](**given)

        return call

    kills, last = 0, world.login
    for steps in range(100):
        left, before = steps, world.login
        with monkeypatch.context() as counting:
            for name in real:
                counting.setattr(client, name, counted(name))
            event.listen(Engine, "before_cursor_execute", step)
            try:
                world.rotate(step)
            except KilledError:
                kills += 1
            finally:
                event.remove(Engine, "before_cursor_execute", step)
        world.connect().close()
        if kills == steps:
            break
        world.rotate()
        assert world.may_sign_in() == [world.login["username"]]
        assert world.vault.pending(world.settings.database_secret) is None
        world.connect().close()
        for old in (before, last):
            with pytest.raises(REFUSED):
                world.connect(old)
        last = before
    assert kills == 8


def test_two_at_once_take_turns(world: World) -> None:
    world.ready()
    failures: list[BaseException] = []

    def run(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in (world.rotate, world.ready, world.rotate)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert world.may_sign_in() == [world.login["username"]]
    world.connect().close()


def test_no_password_is_in_the_databases_log(world: World) -> None:
    world.ready()
    passwords = {PASSWORD, world.login["password"]}
    world.rotate()
    passwords.add(world.login["password"])
    log = instance_folder(world.running.home, world.instance.identifier).log_file.read_text(errors="replace")
    assert "ALTER ROLE mlflow_server_b" in log
    assert [password for password in passwords if password in log] == []
