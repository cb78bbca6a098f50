"""Loads a project's data into one table, and tells by its digest whether it is the same as another time.

What asks a database is in `database`, which takes half a second more to import.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.util import hash_pandas_object

from ml_workloads.runtime.data.errors import DataError
from ml_workloads.runtime.data.files import LocalFile, S3Objects
from ml_workloads.runtime.data.options import PATIENCE_SECONDS, ReadOptions, Source
from ml_workloads.runtime.data.text_columns import text_columns

__all__ = [
    "PATIENCE_SECONDS",
    "DataError",
    "Dataset",
    "LocalFile",
    "ReadOptions",
    "S3Objects",
    "Source",
    "digest",
    "load",
    "text_columns",
]
_row_hashes: Any = hash_pandas_object


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A table with where it came from; `digest` (SHA-256 in hexadecimal) covers columns, types, values, and order."""

    frame: pd.DataFrame
    source: str
    digest: str


def load(source: Source, options: ReadOptions | None = None) -> Dataset:
    """Read all of a source.

    Args:
        source: where the data is.
        options: how a CSV is read and for how long a service is waited for; without them only an empty cell is a
            missing value.

    Returns:
        The table, with at least one row.

    Raises:
        DataError: it is not there, holds nothing, or is no table.
        PlatformError: where it is kept does not answer.
    """
    frame = source.read(options or ReadOptions())
    if frame.empty:
        raise DataError(f"{source.name}: the table has no rows")
    return Dataset(frame=frame, source=source.name, digest=digest(frame))


def digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's columns, types and rows, whatever the index; the order of both counts.

    Comparable between runs with the same version of pandas, whose hash of a row it is made from.
    """
    summary = hashlib.sha256()
    for column, kind in frame.dtypes.items():
        summary.update(f"{column}\0{kind}\0".encode())
    try:
        rows = _row_hashes(frame, index=False)
    except TypeError:  # lists and structs of Parquet cannot be hashed
        rows = _row_hashes(frame.apply(_written), index=False)
    summary.update(rows.to_numpy().tobytes())
    return summary.hexdigest()


def _written(column: pd.Series) -> pd.Series:
    return column.map(_text) if column.dtype == object else column


def _text(value: Any) -> str:
    return json.dumps(value, default=lambda held: held.tolist() if hasattr(held, "tolist") else str(held))
