"""`python -m mlflow_server.set_up`: what has to be done once before this version of the server runs.

The administrator's account has a password, both databases exist, and their tables are this version's. Safe to run
again.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import mlflow.store.db.utils as tracking_tables
import sqlalchemy
from mlflow.server.auth.db import utils as sign_in_tables
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mlflow_server.database import SIGN_IN, TRACKING, Database
from mlflow_server.settings import DatabaseSettings, from_environment
from mlflow_server.vault import Vault, new_administrator

LOG = logging.getLogger("set_up")
PATIENCE_SECONDS = 120.0
tables: Any = tracking_tables


def main() -> None:
    settings = from_environment(DatabaseSettings)
    vault = Vault()
    vault.read_or_make(settings.admin_secret, new_administrator)
    database = Database(settings=settings, vault=vault)
    database.refresh()
    os.environ.update(database.environment())
    engine = sqlalchemy.create_engine(database.url(TRACKING))
    ensure_database(engine, SIGN_IN)
    if tables._is_empty_database(engine):
        tables._initialize_tables(engine)
    else:
        tables._upgrade_db(engine)
    engine.dispose()
    engine = sqlalchemy.create_engine(database.url(SIGN_IN))
    sign_in_tables.migrate(engine, "head")
    engine.dispose()
    LOG.info("the databases %s and %s are ready", TRACKING, SIGN_IN)


def ensure_database(server: sqlalchemy.Engine, name: str) -> None:
    """RDS makes one database only. Waits for a server that is just coming up."""
    for attempt in Retrying(
        retry=retry_if_exception_type(OperationalError),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(3),
        reraise=True,
    ):
        # PostgreSQL makes no database within a transaction.
        with attempt, server.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            found = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
            if found.first() is None:
                quoted = server.dialect.identifier_preparer.quote(name)
                connection.execute(text(f"CREATE DATABASE {quoted}"))
                LOG.info("made the database %s", name)


if __name__ == "__main__":
    main()
