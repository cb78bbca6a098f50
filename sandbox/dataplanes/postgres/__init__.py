"""A real PostgreSQL per emulated RDS instance: found, initialised, secured, configured, kept running and stopped."""

from sandbox.dataplanes.postgres.lifecycle import InstanceProcess, describe, stop_all
from sandbox.dataplanes.postgres.reconcile import PostgresDataPlane, PostgresStatus

__all__ = ["InstanceProcess", "PostgresDataPlane", "PostgresStatus", "describe", "stop_all"]
