"""Fixtures: a running sandbox for the tests of the platform inside it."""

from mlp_sandbox.testing.fixtures import (
    box,
    make_box,
    own_box,
    program,
    pulumi_binary,
    pytest_runtest_makereport,
)

__all__ = ["box", "make_box", "own_box", "program", "pulumi_binary", "pytest_runtest_makereport"]
