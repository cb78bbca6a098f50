"""Sessions as RDS's master user, which creates and changes MLflow's roles, and the test of a new login.

RDS rotates the master user's password on its own, so the password is read for each attempt.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import URL, Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mlflow_server import roles
from mlflow_server.database import SIGN_IN, TRACKING
from mlflow_server.secrets_manager import Document, SecretsManager, new_login
from mlflow_server.settings import SetUpSettings

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Administration:
    """Access to PostgreSQL as the master user. `driver` is SQLAlchemy's; TLS settings come from libpq's variables."""

    settings: SetUpSettings
    vault: SecretsManager
    driver: str = "psycopg2"

    @contextmanager
    def master(self, database: str = TRACKING) -> Generator[Connection]:
        """Open a session in which each statement is a transaction. Wait for a server that is just starting."""
        attempts = Retrying(
            retry=retry_if_exception_type(OperationalError),
            stop=stop_after_delay(PATIENCE_SECONDS),
            wait=wait_fixed(3),
            reraise=True,
        )
        connection = attempts(lambda: self._connect(self.vault.must_read(self.settings.master_secret), database))
        try:
            yield connection
        finally:
            connection.close()

    def try_out(self, login: Document) -> None:
        """Open a session to each database with one of MLflow's logins.

        Raises:
            SQLAlchemyError: a session cannot be opened.
        """
        for database in (TRACKING, SIGN_IN):
            self._connect(login, database).close()

    def _connect(self, login: Document, database: str) -> Connection:
        url = URL.create(
            f"postgresql+{self.driver}",
            username=login["username"],
            password=login["password"],
            host=self.settings.database_host,
            port=self.settings.database_port,
            database=database,
        )
        # PostgreSQL cannot create a database inside a transaction, and a change of owner must not hold a lock for long.
        return sqlalchemy.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()


def make_ready(administration: Administration) -> None:
    """Create roles and databases, transfer ownership from the master user, and enable the server's login."""
    vault, secret = administration.vault, administration.settings.database_secret
    with administration.master() as master:
        roles.lock(master)
        roles.ensure_roles(master)
        for name in (TRACKING, SIGN_IN):
            roles.ensure_database(master, name)
            with administration.master(name) as inside:
                roles.hand_over(inside)
        roles.close_other_databases(master)
        roles.let_in(master, vault.read_or_make(secret, lambda: new_login(roles.LOGINS[0])))
