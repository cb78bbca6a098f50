"""Fixture with one control plane for the tests of admission."""

from sandbox.tests.live.clusters.conftest import plane

__all__ = ["plane"]
