"""Processes of the databases behind the emulated AWS API; each engine has a package of its own."""

from mlp_sandbox.databases.postgres import PostgresDataPlane, describe, stop_all

__all__ = ["PostgresDataPlane", "describe", "stop_all"]
