"""Checks that the heading of a CSV is valid and that every row has the same number of fields.

pandas would silently shift, fill or drop the fields of other rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from ml_workloads.runtime.data.errors import DataError, some_of

_LONGEST_FIELD: Final = 2**31 - 1
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_COMPRESSED: Final = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}


def check_rows(name: str, text: bytes) -> tuple[str, ...]:
    """Return the heading of a CSV.

    Args:
        name: name of the file for messages.
        text: the whole content; a byte order mark of UTF-8 is not part of the heading.

    Raises:
        DataError: it is no UTF-8 text, a column of its heading has no name or occurs twice, or a row has another number
            of fields. Rows are counted from 1 without the heading.
    """
    for begin, ending in _COMPRESSED.items():
        if text.startswith(begin):
            raise DataError(f"{name}: this is compressed; let its name end with .csv{ending}")
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        rows = _rows(text)
        heading = _checked_heading(name, next(rows, ()))
        for number, row in enumerate(rows, start=1):
            if len(row) != len(heading):
                raise DataError(
                    f"{name}: row {number} has {len(row)} fields, the heading has {len(heading)} columns; "
                    "quote cells that hold a comma, and end no line with one"
                )
    except UnicodeDecodeError:
        raise DataError(f"{name}: this is no UTF-8 text; save it as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{name}: this cannot be read as a table: {error}") from None
    finally:
        csv.field_size_limit(limit)
    return heading


def _rows(text: bytes) -> Iterator[list[str]]:
    lines = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8-sig", newline="")
    return (row for row in csv.reader(lines) if row)


def _checked_heading(name: str, heading: Sequence[str]) -> tuple[str, ...]:
    if not heading:
        raise DataError(f"{name}: this cannot be read as a table: it is empty; write a heading with the columns' names")
    empty = [str(number) for number, column in enumerate(heading, start=1) if not column.strip()]
    if empty:
        raise DataError(
            f"{name}: column {some_of(empty)} of the heading has no name; name it, or leave out the row numbers "
            "(index=False in pandas)"
        )
    repeated = sorted({column for column in heading if heading.count(column) > 1})
    if repeated:
        raise DataError(f"{name}: the heading has {some_of(repeated)} more than once; rename the columns")
    other = next((word for mark, word in _OTHER_SEPARATORS.items() if len(heading) == 1 and mark in heading[0]), None)
    if other:
        raise DataError(f"{name}: the heading is one column with {other} in it; separate the cells by commas")
    return tuple(heading)
