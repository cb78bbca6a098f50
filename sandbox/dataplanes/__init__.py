"""The processes that really run behind the emulated AWS API; each engine is a package of its own."""

from sandbox.dataplanes.postgres import PostgresDataPlane, describe, stop_all

__all__ = ["PostgresDataPlane", "describe", "stop_all"]
