"""Serialization of tables as Arrow files, which keep types, missing values and row numbers exactly.

https://arrow.apache.org/docs/python/feather.html
"""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import pyarrow

from ml_workloads.runtime.data.errors import DataError

pa: Any = pyarrow  # has no types
_WAYS_OUT = "cast it to text or a number in the query or in the file"


def to_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table as an Arrow file.

    Raises:
        DataError: a column holds objects that a file cannot store, or values of several types.
    """
    for name in frame.columns:
        try:
            pa.array(frame[name], from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError) as error:
            said = " ".join(str(error).split())[:200]
            raise DataError(f"column {name} cannot be handed to the training ({said}); {_WAYS_OUT}") from None
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame)
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_bytes(content: bytes) -> pd.DataFrame:
    """Return the table of an Arrow file, with the index that it was written with."""
    return pa.ipc.open_file(pa.BufferReader(content)).read_all().to_pandas()


def digest(content: bytes) -> str:
    """Return the SHA-256 of a table's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
