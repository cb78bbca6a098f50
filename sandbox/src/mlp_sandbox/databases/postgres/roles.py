"""Roles and first database of an instance, as AWS makes them: the master user is no superuser.

Passwords reach the server only as SCRAM verifiers, which are computed here, so that no statement and no log contains a
password.
"""

import base64
import hashlib
import hmac
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.settings import SUPERUSER

DEFAULT_DATABASE: Final = "postgres"
GROUP: Final = "rds_superuser"
_GRANTED: Final = ("pg_monitor", "pg_signal_backend", "pg_checkpoint")
_PREFIX: Final = "SCRAM-SHA-256$"


def ensure_master(connection: psycopg.Connection, name: str, password: str) -> None:
    """Make or repair the master user with this password, and change nothing that is already right.

    Raises:
        DataPlaneError: the name is reserved or the password is empty.
    """
    if name == SUPERUSER:
        raise DataPlaneError(f"master_username {name!r} is reserved; choose another")
    if not password:
        raise DataPlaneError("master_password is empty; give the instance one or let RDS manage it")
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", GROUP):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(GROUP)))
    for role in _GRANTED:
        if _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
            _grant(connection, role, GROUP)
    row = connection.execute(
        "SELECT rolpassword, rolcanlogin AND rolcreatedb AND rolcreaterole AND NOT rolsuper"
        " FROM pg_authid WHERE rolname = %s",
        (name,),
    ).fetchone()
    if row is None or not row[1] or not verifies(row[0], password):
        verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        verb = sql.SQL("CREATE ROLE" if row is None else "ALTER ROLE")
        connection.execute(
            sql.SQL("{} {} LOGIN CREATEDB CREATEROLE NOSUPERUSER PASSWORD {}").format(
                verb, sql.Identifier(name), sql.Literal(verifier)
            )
        )
    _grant(connection, GROUP, name, " WITH ADMIN OPTION")


def ensure_databases(connection: psycopg.Connection, name: str, owner: str) -> None:
    """Make a database that the master user owns, unless it exists, and make the master user the owner of `postgres`."""
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    connection.execute(
        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(DEFAULT_DATABASE), sql.Identifier(owner))
    )


def verifies(verifier: str | None, password: str) -> bool:
    """Return whether a stored SCRAM verifier belongs to the password (RFC 5803)."""
    if verifier is None or not verifier.startswith(_PREFIX):
        return False
    try:
        work, keys = verifier.removeprefix(_PREFIX).split("$")
        iterations, salt = work.split(":")
        stored = base64.b64decode(keys.split(":")[0])
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    except ValueError:
        return False
    client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    return hmac.compare_digest(hashlib.sha256(client).digest(), stored)


def _exists(connection: psycopg.Connection, query: LiteralString, name: str) -> bool:
    return connection.execute(query, (name,)).fetchone() is not None


def _grant(connection: psycopg.Connection, role: str, member: str, option: LiteralString = "") -> None:
    granted = "SELECT 1 FROM pg_auth_members WHERE roleid = %s::regrole AND member = %s::regrole"
    identifiers = [sql.Identifier(role).as_string(connection), sql.Identifier(member).as_string(connection)]
    if connection.execute(granted, identifiers).fetchone() is None:
        connection.execute(sql.SQL("GRANT {} TO {}" + option).format(sql.Identifier(role), sql.Identifier(member)))
