"""Fixtures that check each rule for every committed stack file."""

from tests.contract.conftest import environment

__all__ = ["environment"]
