"""Real PostgreSQL servers, each test in a sandbox home of its own."""

from sandbox.tests.live.databases.conftest import data_plane, running

__all__ = ["data_plane", "running"]
