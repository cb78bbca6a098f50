"""MLflow's roles in PostgreSQL: one that owns its databases and nothing else, and two logins of the server.

The server uses one login at a time. A rotation gives the other login a new password and lets the server switch to it,
so the password in the secret is valid at every moment. Objects that a session creates belong to the owner role. All
functions are idempotent, and continue after an interruption.
RDS's master user is no superuser: it may transfer objects that it owns to roles that it is a member of. As a member it
also keeps its access to the tables, so a server of an older version, which signs in as the master user, continues to
work until it is replaced.
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
from mlflow_server.secrets_manager import Document

LOG = logging.getLogger("roles")
OWNER: Final = "mlflow_owner"
LOGINS: Final = ("mlflow_server_a", "mlflow_server_b")
LOCK_KEY: Final = 0x6D6C666C6F77
"""Key of the advisory lock. Any number, the same in all programs that change roles: `mlflow` in ASCII."""

_ATTRIBUTES: Final = "NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
_EVERYBODYS: Final = ("postgres", "template1")
"""Databases that exist on each new server."""

LOCK_PATIENCE_SECONDS: Final = 120.0

# Objects of the master user. An object that belongs to another one (a serial column's sequence, a table's type, a part
# of an extension) follows it and is not changed by itself. Schemas come first: the new owner of an object in a schema
# must be allowed to create objects there.
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
    """An existing role does not have the expected properties. The message names it and the fix."""


def other(login: str) -> str:
    """Return the other one of the two logins.

    Raises:
        RoleError: the name is none of the two.
    """
    if login not in LOGINS:
        raise RoleError(f"the secret of MLflow's database names the role {login!r}; it must be one of {LOGINS}")
    return LOGINS[1 - LOGINS.index(login)]


def lock(master: Connection) -> None:
    """Wait for the lock on changes of roles. The server releases it when the connection ends, for whatever reason."""
    master.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})


def ensure_roles(master: Connection) -> None:
    """Create the three roles, without the right to sign in yet.

    Raises:
        RoleError: an existing role of such a name has more permissions than it should.
    """
    for name in (OWNER, *LOGINS):
        if not _found(master, "SELECT 1 FROM pg_roles WHERE rolname = :name", name=name):
            master.execute(text(f"CREATE ROLE {name} {_ATTRIBUTES}"))
            LOG.info("made the role %s", name)
    # From PostgreSQL 16 on the creator of a role may change it, but may neither use its privileges nor transfer objects
    # to it.
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
    """Set the password of a login to the one in its secret, and enable it. Open sessions continue.

    Raises:
        RoleError: the secret names another role.
    """
    other(login["username"])
    # A verifier contains no character that could end a literal.
    master.execute(_plain(f"ALTER ROLE {login['username']} LOGIN PASSWORD '{verifier(login['password'])}'"))


def shut_out(master: Connection, login: str) -> None:
    """Disable a login. Open sessions continue until the server's pool ends them."""
    other(login)
    master.execute(text(f"ALTER ROLE {login} NOLOGIN PASSWORD NULL"))


def may_sign_in(master: Connection, login: str) -> bool:
    """Return whether a login is enabled."""
    return _found(master, "SELECT 1 FROM pg_roles WHERE rolname = :name AND rolcanlogin", name=login)


def ensure_database(master: Connection, name: str) -> None:
    """Create a database that the owner role owns, or transfer it to the owner role, and let no other role connect.

    RDS creates one database only, which the master user owns.
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
    """Revoke PUBLIC's right to connect to the databases that RDS created beside MLflow's.

    A database that the master user does not own stays unchanged.
    """
    for name in _EVERYBODYS:
        mine = "SELECT 1 FROM pg_database WHERE datname = :name AND pg_has_role(current_user, datdba, 'USAGE')"
        if _found(master, mine, name=name):
            master.execute(text(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC"))


def hand_over(master: Connection) -> int:
    """Transfer all of the master user's objects in the connection's database to the owner role, one at a time.

    Each change waits for the transactions that use the object, and blocks new ones: for at most five seconds, then it
    lets them proceed and tries again.

    Returns:
        The number of objects that were transferred.
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
    """Return a statement without parameters. SQLAlchemy would read the text after a colon as the name of one."""
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
