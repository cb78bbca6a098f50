"""Builds a table from the rows that a database driver returns, without changing a number."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, Final, cast

import pandas as pd

from ml_workloads.runtime.data.errors import DataError
from ml_workloads.runtime.data.tables import inexact

_FIX: Final = "cast it to text in data.source.query and declare it as Column(str)"
_NUMBERS: Final = {int, float, Decimal}
_MISSING: Final = type(None)
_LEAST, _MOST = -(2**63), 2**64 - 1


def table(source: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return rows as a table. Exact numbers, NUMERIC or DECIMAL, become float64 like the fractions of a CSV.

    Args:
        source: Kind, host and database, for the message.
        columns: Names of the columns; a name may occur twice.
        rows: Values of the rows as the driver returned them.

    Raises:
        DataError: a column holds whole numbers, or whole parts of exact ones, that its type in the table would change.
    """
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    values = [_values(source, column, held) for column, held in zip(columns, cells, strict=True)]
    frames = cast("Any", pd.DataFrame)
    return frames.from_records(list(zip(*values, strict=True)), columns=list(columns), coerce_float=False)


def _values(source: str, column: str, held: Sequence[Any]) -> Sequence[Any]:
    kinds: set[type[Any]] = {type(value) for value in held}
    if kinds - _NUMBERS - {_MISSING} or not kinds & {int, Decimal}:
        return held
    if kinds == {int}:
        if min(held) < _LEAST or max(held) > _MOST or (min(held) < 0 and max(held) >= 2**63):
            raise DataError(inexact(source, column, _FIX))
        return held
    if not all(value is None or type(value) is float or _is_kept(value) for value in held):
        raise DataError(inexact(source, column, _FIX))
    return [float(value) if type(value) is Decimal else value for value in held]


def _is_kept(value: int | Decimal) -> bool:
    """Return whether a float64 keeps all digits of a number before its decimal point."""
    if isinstance(value, Decimal) and not value.is_finite():
        return True
    try:
        near = float(value)
    except OverflowError:
        return False
    return isfinite(near) and int(near) == int(value)
