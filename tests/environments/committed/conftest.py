"""Fixture: the package shares one account with all committed environments, on simulated nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.testing.box import Box, MakeBox

ENVIRONMENTS = ("dev", "staging", "prod")


@pytest.fixture(scope="package")
def account(make_box: MakeBox) -> Iterator[Box]:
    """Deploy all environments side by side; stop the account after the last test, which destroys dev."""
    made = make_box("environments")
    for stack in ENVIRONMENTS:
        made.pulumi("up", "--stack", stack, "--yes", "--skip-preview")
    yield made
    lifecycle.down(made.instance)
