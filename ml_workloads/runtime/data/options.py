"""Options for reading data, and the parts that a source consists of."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import pandas as pd

PATIENCE_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Options for reading data.

    Attributes:
        missing_values: words that mean a missing value in a CSV; "" is an empty cell.
        text_columns: columns of a CSV that stay text as written, such as `007`. A CSV has no types, so the types of the
            other columns are inferred from their values.
        patience_seconds: maximum time to retry while a service does not answer.
    """

    missing_values: tuple[str, ...] = ("",)
    text_columns: Container[str] = field(default_factory=frozenset[str])
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file or an object with a piece of the table.

    Attributes:
        name: the name for messages; its ending tells the format.
        content: reads the content again at each call.
        partition: columns from the path, as in `year=2023/part-0.parquet`; None is a missing value.
    """

    name: str
    content: Callable[[], bytes]
    partition: Mapping[str, str | None] = field(default_factory=dict[str, str | None])


class Source(Protocol):
    """Location of a project's data."""

    @property
    def name(self) -> str:
        """Return the name for messages and tags. It contains no secret."""
        ...

    def read(self, options: ReadOptions) -> pd.DataFrame:
        """Return all of the data.

        Raises:
            DataError: the data does not exist, or is no table.
            PlatformError: the service that stores the data does not answer.
        """
        ...
