"""Loads a project's data into one table, whose digest tells whether the data is the same as at another time.

The code for databases is in `database`, which takes half a second more to import.
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
    """A table with its source. `digest` (SHA-256 in hexadecimal) covers columns, types, values, and their order."""

    frame: pd.DataFrame
    source: str
    digest: str


def load(source: Source, options: ReadOptions | None = None) -> Dataset:
    """Read all of a source.

    Args:
        source: location of the data.
        options: options for CSVs, and the maximum time to wait for a service; by default only an empty cell is a
            missing value.

    Returns:
        The table, with at least one row.

    Raises:
        DataError: the data does not exist, is empty, or is no table.
        PlatformError: the service that stores the data does not answer.
    """
    frame = source.read(options or ReadOptions())
    if frame.empty:
        raise DataError(f"{source.name}: the table has no rows")
    return Dataset(frame=frame, source=source.name, digest=digest(frame))


def digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's columns, types and rows.

    The order of columns and rows counts, the index does not.
    Digests are comparable between runs with the same version of pandas, because they are computed from pandas' hash of
    a row.
    """
    summary = hashlib.sha256()
    table: Any = frame
    for column, kind in table.dtypes.items():
        summary.update(f"{column}\0{kind}\0".encode())
    try:
        rows = _row_hashes(frame, index=False)
    except TypeError:  # lists and structs of Parquet cannot be hashed
        rows = _row_hashes(table.apply(_written), index=False)
    summary.update(rows.to_numpy().tobytes())
    return summary.hexdigest()


def _written(column: Any) -> Any:
    return column.map(_text) if column.dtype == object else column


def _text(value: Any) -> str:
    return json.dumps(value, default=lambda held: held.tolist() if hasattr(held, "tolist") else str(held))
