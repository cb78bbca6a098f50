"""One account with all committed environments in it, on simulated nodes; taken down with the package's last test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import lifecycle
from tests.sandbox.box import Box, MakeBox

ENVIRONMENTS = ("dev", "staging", "prod")


@pytest.fixture(scope="package")
def account(make_box: MakeBox) -> Iterator[Box]:
    """All environments, side by side. The last test of `test_environments` destroys dev."""
    made = make_box("environments")
    for stack in ENVIRONMENTS:
        made.pulumi("up", "--stack", stack, "--yes", "--skip-preview")
    yield made
    lifecycle.down(made.instance)
