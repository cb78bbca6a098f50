"""Compares a table before and after its contract. A contract must not change values, because requests do not pass it.

A model that is trained on changed values would answer requests, which carry the raw ones, wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast

import numpy as np
import pandas as pd
import pandera.pandas as pa

from ml_workloads.runtime import contract_conversions as conversions
from ml_workloads.runtime.contract_conversions import kind
from ml_workloads.runtime.schemas import ContractError

MAX_VALUES: Final = 5
_pandas: Any = pd  # leaves some types open


def demand_unchanged(before: pd.DataFrame, after: pd.DataFrame, schema: pa.DataFrameSchema, target: str) -> None:
    """Raise an error that names each input column whose values the contract changes.

    Types may be converted if every value keeps its meaning: text to numbers, times or categories, whole numbers to
    text. Rows and columns may be dropped, and columns added.

    Args:
        before: The data as it was read.
        after: The data as the contract returned it. Rows are those of `before` with the same index.
        schema: The contract. A missing value may be filled if its column has a default.
        target: Name of the column that no request carries.

    Raises:
        ContractError: the contract changes values of at least one input column.
    """
    found = list(_changes(before, after, schema, target))
    if found:
        raise ContractError("\n".join(found))


def _changes(before: Any, after: Any, schema: pa.DataFrameSchema, target: str) -> Iterator[str]:
    if not before.columns.is_unique or not after.columns.is_unique:
        return  # `describe` rejects these names
    if before.index.is_unique and bool(after.index.isin(before.index).all()):
        before = before.loc[after.index]
    elif len(before) != len(after):
        return
    for name in after.columns:
        if name != target and name in before.columns:
            said = _change(str(name), _plain(before[name]), _plain(after[name]), filled=_has_default(schema, name))
            if said:
                yield said


def _change(name: str, before: Any, after: Any, *, filled: bool) -> str:
    was_missing, is_missing = before.isna().to_numpy(), after.isna().to_numpy()
    appeared = was_missing & ~is_missing & (not filled)
    changed, known = appeared.copy(), ~was_missing & ~is_missing
    old, new = kind(before), kind(after)
    if old == new != "other":
        changed |= ~was_missing & is_missing
        changed[known] |= _differ(before[known], after[known])
    elif old != new:
        changed[known] |= conversions.changed(before[known], after[known])
    places = np.flatnonzero(changed)
    if not len(places):
        return ""
    shown = (
        f"row {after.index[at]}: {_shown(before.iloc[at])} becomes {_shown(after.iloc[at])}"
        for at in places[:MAX_VALUES]
    )
    rows = f"{len(places)} row{'s' if len(places) > 1 else ''}"
    return (
        f"the contract changes column {name} in {rows} ({', '.join(shown)}): requests are not changed by it; "
        f"{_fix(old, new, appeared=bool(appeared.any()))}"
    )


def _fix(old: str, new: str, *, appeared: bool) -> str:
    if appeared and new == "truth":
        return 'write Column("boolean", nullable=True, coerce=True)'
    return (conversions.way_out(old, new) if old != new else "") or "do it in the model (a transformer in the pipeline)"


def _plain(column: Any) -> pd.Series:
    """Return a column of categories as a column of their values."""
    dtype: Any = column.dtype
    return (
        column.astype(dtype.categories.dtype if not column.isna().any() else object) if _is_category(dtype) else column
    )


def _is_category(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype)


def _differ(before: Any, after: Any) -> Any:
    """Return which values differ. Both columns are of one kind and without missing values."""
    held = kind(after)
    if held in ("text", "date", "truth") or before.dtype == after.dtype == object:
        return before.astype(object).to_numpy() != after.astype(object).to_numpy()
    if before.dtype == object:
        before = _pandas.to_numeric(before) if held == "number" else before.astype(after.dtype)
    if held != "number" or _pandas.api.types.is_float_dtype(after.dtype):
        # A narrower float or a coarser time rounds. A request's value is rounded likewise, or rejected.
        with np.errstate(all="ignore"):
            before = before.astype(after.dtype)
    return before.ne(after).to_numpy(dtype=bool)


def _has_default(schema: pa.DataFrameSchema, name: Any) -> bool:
    return any(
        column.default is not None and (declared == name or (column.regex and re.match(str(declared), str(name))))
        for declared, column in schema.columns.items()
    )


def _shown(value: Any) -> str:
    plain = cast("Any", value).item() if isinstance(value, np.generic) else value
    return "missing" if _pandas.isna(plain) else repr(plain)[:80]
