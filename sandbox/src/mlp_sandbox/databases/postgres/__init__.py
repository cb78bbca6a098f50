"""A real PostgreSQL server per emulated RDS instance.

The package finds an installation, and initialises, secures, configures, supervises and stops the servers.
"""

from mlp_sandbox.databases.postgres.lifecycle import InstanceProcess, describe, stop_all
from mlp_sandbox.databases.postgres.reconcile import PostgresDataPlane, PostgresStatus

__all__ = ["InstanceProcess", "PostgresDataPlane", "PostgresStatus", "describe", "stop_all"]
