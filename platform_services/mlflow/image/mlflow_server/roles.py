"""MLflow's roles in PostgreSQL: one that owns its databases and nothing else, and two that the server signs in as.

The server uses one of the two at a time. A rotation gives the other one a new password and lets the server change over,
so that there is no moment at which the password in the secret is refused. Everything that a session makes is the
owner's. All of it may be done again, and goes on where it was interrupted.

RDS's master user is no superuser: it may give away what it owns to roles that it is a member of. As a member it also
keeps its way to the tables, so that a server of an older version, which signs in as the master user, works on until it
is replaced.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mlflow_server.scram import verifier
from mlflow_server.vault import Document

LOG = logging.getLogger("roles")
OWNER: Final = "mlflow_owner"
LOGINS: Final = ("mlflow_server_a", "mlflow_server_b")
LOCK_KEY: Final = 0x6D6C666C6F77
"""Any number, the same in all that changes roles: `mlflow` in ASCII."""

_ATTRIBUTES: Final = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_EVERYBODYS: Final = ("postgres", "template1")
"""Databases that each server comes with."""

LOCK_PATIENCE_SECONDS: Final = 120.0

# Objects of the master user. What belongs to another object (a serial column's sequence, a table's type, a part of an
# extension) follows it and is not changed by itself. Schemas come first: whoever is to own something in a schema must
# be allowed to make it there.
_OWNED: Final = """
WITH parts AS (SELECT classid, objid, deptype FROM pg_depend WHERE deptype IN ('i', 'a', 'e'))
SELECT 'SCHEMA', n.oid::regnamespace::text
  FROM pg_namespace n
 WHERE n.nspowner = current_user::regrole AND n.nspname NOT LIKE 'pg\\_%'
   AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
       WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, c.oid::regclass::text
  FROM pg_class c
 WHERE c.relowner = current_user::regrole AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
   AND c.relnamespace::regnamespace::text NOT LIKE 'pg\\_%'
   AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_class'::regclass AND objid = c.oid
                      AND (c.relkind = 'S' OR deptype = 'e'))
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype::text
  FROM pg_type t
 WHERE t.typowner = current_user::regrole AND t.typtype IN ('d', 'e')
   AND t.typnamespace::regnamespace::text NOT LIKE 'pg\\_%'
   AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_type'::regclass AND objid = t.oid)
UNION ALL
SELECT 'ROUTINE', p.oid::regprocedure::text
  FROM pg_proc p
 WHERE p.proowner = current_user::regrole AND p.pronamespace::regnamespace::text NOT LIKE 'pg\\_%'
   AND NOT EXISTS (SELECT FROM parts WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
"""


class RoleError(RuntimeError):
    """A role is there that is not as it should be. The message names it and says what to do."""


def other(login: str) -> str:
    """Return the login that is not in use while this one is.

    Raises:
        RoleError: it is none of the two.
    """
    if login not in LOGINS:
        raise RoleError(f"the secret of MLflow's database names the role {login!r}; it must be one of {LOGINS}")
    return LOGINS[1 - LOGINS.index(login)]


def lock(master: Connection) -> None:
    """Wait until nobody else changes roles; the server lets go when the connection ends, however that happens."""
    master.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})


def ensure_roles(master: Connection) -> None:
    """Make the three roles, without a way to sign in yet.

    Raises:
        RoleError: a role of such a name may more than it should.
    """
    for name in (OWNER, *LOGINS):
        if not _found(master, "SELECT 1 FROM pg_roles WHERE rolname = :name", name=name):
            master.execute(text(f"CREATE ROLE {name} {_ATTRIBUTES}"))
            LOG.info("made the role %s", name)
    # From PostgreSQL 16 on whoever makes a role may change it, but neither use its rights nor give it anything.
    options = " WITH INHERIT TRUE, SET TRUE" if _version(master) >= 16 else ""
    if not _is_member(master, "current_user", OWNER):
        master.execute(text(f"GRANT {OWNER} TO CURRENT_USER{options}"))
    for login in LOGINS:
        if not _is_member(master, f"'{login}'", OWNER):
            master.execute(text(f"GRANT {OWNER} TO {login}"))
        master.execute(text(f"ALTER ROLE {login} SET role TO {OWNER}"))
    _check(master)


def _check(master: Connection) -> None:
    query = """
        SELECT rolname FROM pg_roles r WHERE rolname = ANY(:names)
           AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls OR EXISTS
               (SELECT FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid::regrole::text <> :owner))
    """
    found = master.execute(text(query), {"names": [OWNER, *LOGINS], "owner": OWNER}).scalars().all()
    if found:
        raise RoleError(
            f"the roles {', '.join(sorted(found))} may more than use MLflow's databases; somebody has changed them: "
            f"take their attributes and memberships away, or drop them, and run this again"
        )


def let_in(master: Connection, login: Document) -> None:
    """Give a login the password of its secret. Sessions that are open go on.

    Raises:
        RoleError: the secret names another role.
    """
    other(login["username"])
    # A verifier has no character that a literal could end with.
    master.execute(_plain(f"ALTER ROLE {login['username']} LOGIN PASSWORD '{verifier(login['password'])}'"))


def shut_out(master: Connection, login: str) -> None:
    """Let a login open no more sessions. Those that are open go on, until the server's pool ends them."""
    other(login)
    master.execute(text(f"ALTER ROLE {login} NOLOGIN PASSWORD NULL"))


def may_sign_in(master: Connection, login: str) -> bool:
    """Return whether a login has a password that counts."""
    return _found(master, "SELECT 1 FROM pg_roles WHERE rolname = :name AND rolcanlogin", name=login)


def ensure_database(master: Connection, name: str) -> None:
    """Make a database of the owner's, or give it to the owner, and let nobody else in.

    RDS makes one database only, and it is the master user's.
    """
    quoted = master.dialect.identifier_preparer.quote(name)
    if not _found(master, "SELECT 1 FROM pg_database WHERE datname = :name", name=name):
        master.execute(text(f"CREATE DATABASE {quoted} OWNER {OWNER}"))
        LOG.info("made the database %s", name)
    elif not _found(master, "SELECT 1 FROM pg_database WHERE datname = :name AND datdba = :owner ::regrole", name=name):
        master.execute(text(f"ALTER DATABASE {quoted} OWNER TO {OWNER}"))
        LOG.info("gave the database %s to %s", name, OWNER)
    master.execute(text(f"REVOKE CONNECT, TEMPORARY ON DATABASE {quoted} FROM PUBLIC"))


def close_other_databases(master: Connection) -> None:
    """Take the right to connect that everybody has to the databases that RDS made beside MLflow's.

    A database that is not the master user's stays as it is.
    """
    for name in _EVERYBODYS:
        mine = "SELECT 1 FROM pg_database WHERE datname = :name AND pg_has_role(current_user, datdba, 'USAGE')"
        if _found(master, mine, name=name):
            master.execute(text(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC"))


def hand_over(master: Connection) -> int:
    """Give everything that is the master user's in the connection's database to the owner, one object at a time.

    Each change waits for the transactions that use the object, and holds up new ones: five seconds at the most, then
    it lets them go first and tries again.

    Returns:
        How many objects changed hands.
    """
    master.execute(text("SET lock_timeout TO '5s'"))
    changed = 0
    for statement in _changes(master):
        for attempt in Retrying(
            retry=retry_if_exception_type(OperationalError),
            stop=stop_after_delay(LOCK_PATIENCE_SECONDS),
            wait=wait_fixed(1),
            reraise=True,
        ):
            with attempt:
                master.execute(_plain(statement))
        changed += 1
    if changed:
        LOG.info("gave %d objects of the database to %s", changed, OWNER)
    return changed


def _changes(master: Connection) -> Iterator[str]:
    for kind, name in master.execute(text(_OWNED)).all():
        yield f"ALTER {kind} {name} OWNER TO {OWNER}"


def _plain(statement: str) -> TextClause:
    """A statement without parameters; SQLAlchemy would take what follows a colon for the name of one."""
    return text(statement.replace(":", "\\:"))


def _version(master: Connection) -> int:
    return int(str(master.execute(text("SHOW server_version_num")).scalar())) // 10000


def _is_member(master: Connection, member: str, role: str) -> bool:
    query = f"SELECT 1 FROM pg_auth_members WHERE roleid = '{role}'::regrole AND member = {member}::regrole"  # noqa: S608
    if _version(master) >= 16:
        query += " AND inherit_option AND set_option"
    return _found(master, query)


def _found(master: Connection, query: str, **values: str) -> bool:
    given = {"owner": OWNER, **values} if ":owner" in query else values
    return master.execute(text(query), given).first() is not None
