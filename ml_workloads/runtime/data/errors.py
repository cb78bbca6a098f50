"""The error of all modules that read data."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from ml_workloads.runtime.errors import ProjectError

MAX_NAMED: Final = 5


class DataError(ProjectError):
    """The data cannot be read. The message names the data and the fix; it contains no address with a password."""


def some_of(names: Iterable[str]) -> str:
    """Return at most five names, and the number of further ones."""
    rest = iter(names)
    shown = list(islice(rest, MAX_NAMED))
    more = sum(1 for _ in rest)
    return ", ".join(shown) + (f" and {more} more" if more else "")
