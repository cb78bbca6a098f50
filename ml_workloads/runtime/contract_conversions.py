"""Finds values that a contract's change of type turns into different ones.

A request carries the values as they are read.
pandas takes any text for True, whole numbers for times since 1970, and writes the number 41.0 as the text "41.0".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

_types: Any = pd.api.types  # leaves some types open
_KINDS: Final[Mapping[str, str]] = {
    "string": "text",
    "boolean": "truth",
    "date": "date",
    **dict.fromkeys(("integer", "floating", "decimal", "mixed-integer-float"), "number"),
    **dict.fromkeys(("timedelta", "timedelta64"), "duration"),
}
"""Kinds by the type that pandas infers for a column of Python objects."""

_TRUTHS: Final[Mapping[str, bool]] = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_TIMES: Final = frozenset({"time", "time with a zone", "date", "duration"})
_CLOCKS: Final = _TIMES - {"date"}


def kind(column: pd.Series) -> str:
    """Return the kind of a column's values: text, truth, number, time, time with a zone, date, duration or other."""
    dtype: Any = column.dtype
    if _types.is_bool_dtype(dtype):
        return "truth"
    if _types.is_numeric_dtype(dtype):
        return "number"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "time with a zone"
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        return "time" if dtype.kind == "M" else "duration"
    return _KINDS.get(pd.api.types.infer_dtype(column, skipna=True), "other")


def changed(before: pd.Series, after: pd.Series) -> Any:
    """Return which values a change of kind turns into different ones, as an array of truth values.

    Args:
        before: Values as they were read, none of them missing.
        after: The same values as the contract returned them; none is missing.
    """
    old, new = kind(before), kind(after)
    if new == "truth" and old in ("text", "number"):
        meant = [_TRUTHS.get(str(value).strip().lower()) for value in before]
        return np.asarray([one is not bool(other) for one, other in zip(meant, after, strict=True)], dtype=bool)
    if (old, new) == ("number", "text"):
        return _whole_floats(before)
    always = (old in ("number", "truth") and new in _TIMES) or (old in _CLOCKS and new in ("number", "text", "truth"))
    return np.full(len(before), always, dtype=bool)


def way_out(old: str, new: str) -> str:
    """Return what to do instead of a change from one kind to another, or "" if there is no special advice."""
    if new == "truth":
        return "write true and false in the data, or keep it as it is read"
    if (old, new) == ("number", "text"):
        return (
            "cast it to text in the query or in the file, because whole numbers beside missing ones are read as floats"
        )
    if new in _TIMES and old == "number":
        return "write text such as 2024-01-31, or a column of times, in the data"
    if old in _CLOCKS and new in ("number", "text"):
        return "keep it as it is read, and convert it in the model (a transformer in the pipeline)"
    return ""


def _whole_floats(column: Any) -> Any:
    """Return which numbers are whole and stored as floats. As text they end with .0, and only beside missing values."""
    if column.dtype == object:
        return np.asarray([isinstance(value, float) and value.is_integer() for value in column], dtype=bool)
    if not _types.is_float_dtype(column.dtype):
        return np.zeros(len(column), dtype=bool)
    values = column.to_numpy(dtype=float)
    return np.isfinite(values) & (values == np.floor(values))
