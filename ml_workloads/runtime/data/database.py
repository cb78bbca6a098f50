"""Data that is the result of a database query.

Messages of database drivers may repeat the address with its password. For a failed connection no driver message is
shown; for a query that the database rejected, the first line is shown, unless it contains a piece of the address.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
import sqlalchemy
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError, SAWarning, SQLAlchemyError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from ml_workloads.runtime.data import address, rows
from ml_workloads.runtime.data.errors import DataError
from ml_workloads.runtime.data.options import ReadOptions
from ml_workloads.runtime.errors import PlatformError

LOG = logging.getLogger(__name__)
_CONNECT_SECONDS: Final = 10
_LONGEST: Final = 300
# Messages of PostgreSQL, MySQL and SQL Server for permanent errors, after which a retry would fail too. libpq provides
# no SQLSTATE for a failed connection: https://www.postgresql.org/docs/current/libpq-status.html
_REFUSED: Final = {
    "user or password is not accepted": r"authentication failed|access denied|login failed|no password",
    "this user may not come from here": r"pg_hba\.conf",
    "there is no such database or user": r"(database|role) .* does not exist|unknown database|cannot open database",
    "the address has a port or an option that the driver does not take": (
        r"invalid (connection option|port|\w+ value)|bad value for|unexpected keyword"
    ),
    "a certificate file that the address names is not there": r"certificate file",
    "the file cannot be opened": r"unable to open database file|file is not a database",
}
_TAKES_TIMEOUT: Final = {"psycopg", "psycopg2", "pymysql", "mysqldb"}
# Lost connections, shutdown, too many connections, lack of resources: a retry may succeed.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING_STATES: Final = ("08", "53", "57P", "40", "55P03")


class _NotReachedError(Exception):
    """The database did not answer. The error contains no text of the driver."""


@dataclass(frozen=True, kw_only=True)
class SqlQuery:
    """The result of a query, which is sent to the database as written.

    `url` is SQLAlchemy's, with the password, and is never shown. `secret` is the name of the secret that holds the
    address.
    """

    url: str = field(repr=False)
    query: str = field(repr=False)
    secret: str = "of the database"  # noqa: S105 - a name

    @property
    def name(self) -> str:
        """Return kind, host and database."""
        return address.shown(self.url)

    def read(self, options: ReadOptions) -> pd.DataFrame:
        """Run the query and return its result."""
        engine = self._engine()

        def told(_state: RetryCallState) -> None:
            LOG.warning("%s cannot be reached yet, trying again", self.name)

        attempts = Retrying(
            retry=retry_if_exception_type(_NotReachedError),
            stop=stop_after_delay(options.patience_seconds),
            wait=wait_exponential(max=15),
            before_sleep=told,
            reraise=True,
        )
        try:
            return attempts(lambda: self._answer(engine))
        except _NotReachedError:
            raise PlatformError(
                f"{self.name}: the database could not be reached within {options.patience_seconds:.0f} s; check host "
                f"and port in the secret {self.secret}, and that the database lets this cluster in"
            ) from None
        finally:
            engine.dispose()

    def _engine(self) -> sqlalchemy.Engine:
        url = address.parse(self.secret, self.url)
        try:
            waits = url.get_dialect().driver in _TAKES_TIMEOUT and "connect_timeout" not in url.query
            arguments = {"connect_timeout": _CONNECT_SECONDS} if waits else {}
            with warnings.catch_warnings():
                # These warnings repeat parts of the address.
                warnings.simplefilter("ignore", SAWarning)
                return sqlalchemy.create_engine(url, connect_args=arguments, hide_parameters=True)
        except NoSuchModuleError:
            raise DataError(
                f"secret {self.secret}: its url begins with no database that is known; {address.HOW_TO_WRITE}"
            ) from None
        except ImportError as error:
            raise DataError(
                f"secret {self.secret}: the driver {error.name or 'that its url names'} is not in this image; "
                "add it to the project's requirements, or write postgresql+psycopg://..."
            ) from None
        except Exception as error:
            raise self._unusable(error) from None

    def _answer(self, engine: sqlalchemy.Engine) -> pd.DataFrame:
        with self._connected(engine) as connection:
            try:
                # The query is sent as written. With parameters, even empty ones, a driver would read % as the beginning
                # of one.
                plain = connection.execution_options(no_parameters=True)
                answer = plain.exec_driver_sql(self.query)
                columns, answered = list(answer.keys()), answer.fetchall()
            except SQLAlchemyError as error:
                raise self._refused(error) from None
        return rows.table(self.name, columns, answered)

    @contextmanager
    def _connected(self, engine: sqlalchemy.Engine) -> Generator[sqlalchemy.Connection]:
        try:
            connection = engine.connect()
        except Exception as error:
            raise self._not_connected(error) from None
        with connection:
            yield connection

    def _not_connected(self, error: Exception) -> Exception:
        if isinstance(error, DBAPIError):
            told = str(error.orig)
            for meaning, pattern in _REFUSED.items():
                if re.search(pattern, told, re.IGNORECASE):
                    return DataError(f"{self.name}: {meaning}; mend the secret {self.secret}")
            if isinstance(error, OperationalError | InterfaceError):
                return _NotReachedError()
        return _NotReachedError() if isinstance(error, OSError) else self._unusable(error)

    def _unusable(self, error: Exception) -> DataError:
        return DataError(
            f"secret {self.secret}: the driver cannot use its url ({type(error).__name__}); {address.HOW_TO_WRITE}"
        )

    def _refused(self, error: Exception) -> Exception:
        cause: Any = getattr(error, "orig", None) or error
        state = str(getattr(cause, "sqlstate", None) or "")
        if state.startswith(_PASSING_STATES) or bool(getattr(error, "connection_invalidated", False)):
            return _NotReachedError()
        first = str(cause).strip().partition("\n")[0][:_LONGEST]
        secrets = address.secrets(self.url)
        said = type(cause).__name__ if any(each.lower() in first.lower() for each in secrets) else first
        return DataError(
            f"{self.name}: the database refuses data.source.query: {said}{f' (SQLSTATE {state})' if state else ''}"
        )
