"""A real PostgreSQL per emulated RDS instance: found, initialised, secured, configured, kept running and stopped."""

from mlp_sandbox.databases.postgres.lifecycle import InstanceProcess, describe, stop_all
from mlp_sandbox.databases.postgres.reconcile import PostgresDataPlane, PostgresStatus

__all__ = ["InstanceProcess", "PostgresDataPlane", "PostgresStatus", "describe", "stop_all"]
