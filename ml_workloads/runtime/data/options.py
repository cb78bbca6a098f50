"""How data is read, and one piece of it that is read."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import pandas as pd

PATIENCE_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """`missing_values` are the words that mean a missing value in a CSV; "" is an empty cell.

    A CSV has no types. `text_columns` are those that stay text as written, such as `007`; types of the others follow
    from their values. `patience_seconds` is for how long a service that does not answer is asked again.
    """

    missing_values: tuple[str, ...] = ("",)
    text_columns: Container[str] = field(default_factory=frozenset[str])
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file or an object with a piece of the table. `name` ends as its format demands and is shown to people.

    `content` reads it anew at each call. `partition` holds the columns that stand in its path, as
    `year=2023/part-0.parquet`; None is a missing value.
    """

    name: str
    content: Callable[[], bytes]
    partition: Mapping[str, str | None] = field(default_factory=dict[str, str | None])


class Source(Protocol):
    """Where a project's data is."""

    @property
    def name(self) -> str:
        """Return what people and tags are told; it holds no secret."""
        ...

    def read(self, options: ReadOptions) -> pd.DataFrame:
        """Return all of the data.

        Raises:
            DataError: it is not there, or it is no table.
            PlatformError: where it is kept does not answer.
        """
        ...
