"""Helpers for tests of real PostgreSQL servers: an instance as in an environment, and a running data plane."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from mlp_sandbox.contracts.desired import DatabaseInstance
from mlp_sandbox.databases.postgres import PostgresDataPlane, PostgresStatus
from mlp_sandbox.databases.postgres.binaries import installed

PASSWORD = "Right'pa$$\\word-1"


def database(**changes: Any) -> DatabaseInstance:
    """Return an instance as the dev environment configures it."""
    values: dict[str, Any] = {
        "identifier": "mlp-dev",
        "resource_id": "db-ONE",
        "running": True,
        "engine_version": f"{installed()[-1].major}.4" if installed() else "15.4",
        "port": 5432,
        "db_name": "mlflow",
        "master_username": "mlflow_admin",
        "master_password": PASSWORD,
        "parameters": {},
        "tls_forced": True,
        "allocated_storage": 20,
        "multi_az": False,
    }
    return DatabaseInstance(**{**values, **changes})


@dataclass
class Running:
    """A data plane and the home that it works in."""

    home: Path
    plane: PostgresDataPlane
    log: list[str] = field(default_factory=list[str])

    def available(self, instance: DatabaseInstance) -> PostgresStatus:
        self.plane.reconcile([instance])
        status = self.plane.status(instance.resource_id)
        assert status.state == "available", status
        return status

    def connect(self, instance: DatabaseInstance, **changes: Any) -> psycopg.Connection:
        status = self.plane.status(instance.resource_id)
        arguments: dict[str, Any] = {
            "host": status.address,
            "port": status.port,
            "user": instance.master_username,
            "password": instance.master_password,
            "dbname": instance.db_name or "postgres",
            "sslmode": "verify-full",
            "sslrootcert": str(status.ca_bundle),
            "connect_timeout": 10,
            "autocommit": True,
        }
        return psycopg.connect(**{**arguments, **changes})
