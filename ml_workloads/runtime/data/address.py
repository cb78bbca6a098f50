"""Displays the parts of a database's address that cannot be secret: its kind, host and database.

People write passwords with an `@`, `/` or `#` that is not escaped. Every part of such an address may then be a piece of
the password, so only the kind of database is shown.
https://docs.sqlalchemy.org/en/21/core/engines.html#escaping-special-characters-such-as-signs-in-passwords
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import unquote_plus

import sqlalchemy
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from ml_workloads.runtime.data.errors import DataError

HOW_TO_WRITE: Final = (
    'write {"url": "postgresql+psycopg://user:password@host:5432/database"} into it, '
    "with %40 for @, %3A for :, %2F for /, %3F for ?, %23 for # and %25 for % in user and password"
)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9]{1,31})(\+[a-z0-9_]{1,32})?://(.*)", re.DOTALL)
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.,-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:.]{2,45}")
_DATABASE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def parse(secret: str, text: object) -> URL:
    """Return the address that a secret holds.

    Args:
        secret: the secret's name, for the message.
        text: content of the secret; no part of it is in the message.

    Raises:
        DataError: it is no address of a database.
    """
    if not isinstance(text, str) or not _SCHEME.fullmatch(text):
        raise DataError(f"secret {secret}: its url is no address of a database; {HOW_TO_WRITE}") from None
    try:
        return sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        raise DataError(f"secret {secret}: its url cannot be read as an address; {HOW_TO_WRITE}") from None


def shown(text: str) -> str:
    """Return kind, host and database of an address, such as `postgresql://db.internal/sales`, or only the kind."""
    matched = _SCHEME.fullmatch(text)
    if matched is None:
        return "a database"
    kind, rest = matched.group(1), matched.group(3)
    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        return f"a {kind} database"
    host, database = url.host or "", url.database or ""
    if kind == "sqlite":
        database = database.rpartition("/")[2]
    clear = (
        rest.count("@") == (0 if url.username is None else 1)
        and (not host or _HOST.fullmatch(host))
        and (not database or _DATABASE.fullmatch(database))
        and not _holds_any(f"{host}\0{database}", _hidden(url, text))
    )
    return f"{kind}://{host}/{database}" if clear and (host or database) else f"a {kind} database"


def secrets(text: str) -> frozenset[str]:
    """Return the pieces of an address that no message may contain: user, password and all values of its query."""
    url = sqlalchemy.make_url(text)
    return _each_way([url.username or ""]) | _hidden(url, text)


def _hidden(url: URL, text: str) -> frozenset[str]:
    """Return password and values of the query.

    The user is not included, because a database may have the same name as its user, as `postgres` does.
    """
    values = [str(url.password or "")]
    for value in url.query.values():
        values += [value] if isinstance(value, str) else list(value)
    query = text.partition("?")[2]
    values += [piece for pair in query.split("&") for piece in pair.split("=")[1:]]
    return _each_way(values)


def _each_way(values: Sequence[str]) -> frozenset[str]:
    return frozenset(each for value in values for each in (value, unquote_plus(value)) if each)


def _holds_any(shown_text: str, pieces: Iterable[str]) -> bool:
    return any(piece.lower() in shown_text.lower() for piece in pieces)
