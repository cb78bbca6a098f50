"""Fixtures that check each contract for every committed stack file."""

import pytest

from tests.contract.programs import STACKS, Program, program


@pytest.fixture(params=STACKS)
def environment(request: pytest.FixtureRequest) -> Program:
    return program(request.param)
