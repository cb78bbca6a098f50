"""Reads one part of a table: a CSV, which may be compressed, or a Parquet file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow
from pandas.api.types import infer_dtype
from pyarrow import parquet

from ml_workloads.runtime.data.errors import DataError, some_of
from ml_workloads.runtime.data.heading import check_rows
from ml_workloads.runtime.data.missing_values import marked, reads_as_number
from ml_workloads.runtime.data.options import Part, ReadOptions

pa: Any = pyarrow  # has no types
pq: Any = parquet
EXACT: Final = 2**53
"""Largest number up to which a float64 represents every whole number."""
FORMATS: Final = ".csv, .csv.gz, .csv.bz2, .csv.xz, .csv.zst or .parquet"


def _zstd(content: bytes) -> bytes:
    return bytes(pa.input_stream(pa.BufferReader(content), compression="zstd").read())


_EXPAND: Final[dict[str, Callable[[bytes], bytes]]] = {
    "": lambda content: content,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": _zstd,
}
_UNREADABLE: Final[tuple[type[Exception], ...]] = (
    ValueError,
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    pa.ArrowException,
)


def is_table(name: str) -> bool:
    """Return whether a file's name ends like a table's, in upper or lower case."""
    return _is_csv(name) or _suffix(name) == ".parquet"


def check_name(name: str) -> None:
    """Raise DataError unless a file's name ends like a table's."""
    if not is_table(name):
        raise DataError(f"{name}: write a file that ends with {FORMATS}")


def is_csv(part: Part) -> bool:
    """Return whether the types of a part are inferred from its text."""
    return _is_csv(part.name)


def read_part(part: Part, options: ReadOptions) -> pd.DataFrame:
    """Return the rows of a part.

    Raises:
        DataError: it is no table, or pandas would change a value.
    """
    if not is_csv(part):
        return _checked(part, lambda: _parquet(part))
    text = csv_text(part)
    heading = check_rows(part.name, text)
    as_text = [each for each in heading if each in options.text_columns]
    frame = _checked(part, lambda: parse_csv(text, options, as_text))
    huge = [str(name) for name, column in frame.items() if _is_beyond_64_bits(column)]
    if huge:
        frame = _checked(part, lambda: parse_csv(text, options, [*as_text, *huge]))
    _refuse_inexact(part, text, frame, options)
    return frame


def _is_beyond_64_bits(column: Any) -> bool:
    """Return whether pandas read a column as Python integers.

    Such numbers exceed 64 bits, so the column is read as text instead.
    """
    return column.dtype == object and infer_dtype(column, skipna=True) in {"integer", "mixed-integer-float"}


def csv_text(part: Part) -> bytes:
    """Return the decompressed text of a CSV."""
    expand = _EXPAND[_suffix(part.name) if _suffix(part.name) in _EXPAND else ""]
    return _checked(part, lambda: expand(part.content()))


def parse_csv(
    text: bytes, options: ReadOptions, as_text: Sequence[str], only: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the columns of a CSV whose rows were checked. Columns in `as_text` keep the text as written."""
    words = list(options.missing_values)
    if any(map(reads_as_number, words)):
        text, marker = marked(text, words)
        words = [marker]
    return pd.read_csv(
        io.BytesIO(text),
        index_col=False,
        dtype=dict.fromkeys(as_text, "str"),
        usecols=None if only is None else list(only),
        keep_default_na=False,
        na_values=words,
        low_memory=False,
        encoding="utf-8-sig",
    )


def _parquet(part: Part) -> pd.DataFrame:
    table = pq.read_table(pa.BufferReader(part.content()))
    repeated = sorted({each for each in table.column_names if table.column_names.count(each) > 1})
    if repeated:
        raise DataError(f"{part.name}: the columns {some_of(repeated)} are there more than once; rename them")
    frame = table.to_pandas()
    for name in table.column_names:
        _refuse_wide_nulls(part, name, table.column(name), frame)
    named = [level for level in frame.index.names if level is not None]
    # pandas keeps a named index beside the columns; other programs see it as a column.
    return frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)


def _refuse_wide_nulls(part: Part, name: str, column: Any, frame: Any) -> None:
    """Raise DataError for whole numbers that float64 cannot represent.

    Whole numbers beside missing values become float64, unless the file declares them as pandas' Int64.
    """
    if not pa.types.is_integer(column.type) or column.null_count == 0:
        return
    if name in frame.columns and isinstance(frame[name].dtype, pd.api.extensions.ExtensionDtype):
        return
    values = column.drop_null().to_numpy()
    if len(values) and (int(values.max()) > EXACT or int(values.min()) < -EXACT):
        raise DataError(inexact(part.name, name))


def _refuse_inexact(part: Part, text: bytes, frame: Any, options: ReadOptions) -> None:
    """Raise DataError for whole numbers that float64 cannot represent.

    Whole numbers beside missing cells or fractions become float64.
    """
    wide = [
        str(name)
        for name, column in frame.items()
        if column.dtype == np.float64 and bool((column.abs().replace(np.inf, 0) >= EXACT).any())
    ]
    if not wide:
        return
    written: Any = parse_csv(text, options, wide, wide)
    for name in wide:
        cells = written[name].dropna().str.strip()
        whole = cells[cells.str.fullmatch(r"[+-]?\d+")]
        if any(int(cell) != int(float(cell)) for cell in whole):
            raise DataError(inexact(part.name, name))


def inexact(
    name: str, column: str, fix: str = "declare the column as text in the contract, Column(str), or write it as text"
) -> str:
    """Return the message for whole numbers that a float64 would change, with the fix."""
    return (
        f"{name}: column {column} holds whole numbers over {EXACT} beside missing or fractional ones, which changes "
        f"their last digits; {fix}"
    )


def _checked(part: Part, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except DataError:
        raise
    except UnicodeDecodeError:
        raise DataError(not_utf8(part.name)) from None
    except _UNREADABLE as error:
        raise DataError(f"{part.name}: this cannot be read as a table: {' '.join(str(error).split())[:300]}") from error


def not_utf8(name: str) -> str:
    """Return the message for a CSV in another encoding."""
    return f"{name}: this is no UTF-8 text; save it as UTF-8"


def _is_csv(name: str) -> bool:
    steps = [each.lower() for each in PurePosixPath(name).suffixes]
    return steps[-1:] == [".csv"] or (steps[-2:-1] == [".csv"] and steps[-1] in _EXPAND)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
