"""`python -m mlflow_server.set_up`: set-up that has to run once before this version of the server runs.

Afterwards the administrator's account has a password; both databases exist, belong to MLflow's own role, and let no
other role connect; their tables match this version. The program is idempotent, also after an interruption at any point,
and while servers run that still sign in as the master user.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import mlflow.store.db.utils as tracking_tables
import sqlalchemy
from mlflow.server.auth.db import utils as sign_in_tables

from mlflow_server.administration import Administration, make_ready
from mlflow_server.database import SIGN_IN, TRACKING, Database
from mlflow_server.secrets_manager import SecretsManager, new_administrator
from mlflow_server.settings import SetUpSettings, from_environment

LOG = logging.getLogger("set_up")
tables: Any = tracking_tables


def main() -> None:
    """Run the set-up. Exceptions end the process."""
    settings = from_environment(SetUpSettings)
    vault = SecretsManager()
    vault.read_or_make(settings.admin_secret, new_administrator)
    database = Database(settings=settings, vault=vault)
    os.environ.update(database.environment())
    make_ready(Administration(settings=settings, vault=vault))
    database.refresh()
    # Run as the role that owns the databases, so that new tables belong to it.
    engine = sqlalchemy.create_engine(database.url(TRACKING))
    if tables._is_empty_database(engine):
        tables._initialize_tables(engine)
    else:
        tables._upgrade_db(engine)
    engine.dispose()
    engine = sqlalchemy.create_engine(database.url(SIGN_IN))
    sign_in_tables.migrate(engine, "head")
    engine.dispose()
    LOG.info("the databases %s and %s are ready", TRACKING, SIGN_IN)


if __name__ == "__main__":
    main()
