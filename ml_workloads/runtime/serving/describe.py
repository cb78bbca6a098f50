"""Describes the table that a model was trained on, so that the server can build the same table from a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ml_workloads.runtime.serving.column_types import (
    CategoryType,
    Missing,
    NumberType,
    ObjectType,
    TextType,
    TimeType,
)

MAX_CATEGORIES: Final = 10_000
_LARGEST: Final = np.iinfo("int64").max
_SIGNED: Final = {"uint64": "int64", "UInt64": "Int64"}
_OBJECTS: Final = {"string": "text", "boolean": "truth", "date": "date"}
# Type that pandas infers for a column of Python objects, and the declaration for a contract that gives another type.
_FIXES: Final[Mapping[str, str]] = {
    "decimal": "Column(float, coerce=True)",
    "integer": 'Column("Int64", coerce=True)',
    "integer-na": 'Column("Int64", coerce=True)',
    "floating": "Column(float, coerce=True)",
    "mixed-integer-float": "Column(float, coerce=True)",
    "datetime": 'Column("datetime64[us]", coerce=True)',
    "datetime64": 'Column("datetime64[us]", coerce=True)',
    "mixed-integer": "Column(str, coerce=True)",
    "time": "Column(str, coerce=True)",
    "bytes": "Column(str) and store text, such as base64",
    "complex": "two columns of Column(float)",
    "timedelta": "Column(float) and store seconds",
    "timedelta64": "Column(float) and store seconds",
    "period": "Column(str) or a time, the start of the period",
    "interval": "Column(str) with the interval's label",
    "empty": "the contract without it: it holds no value that tells its type",
}


class Unfit(ValueError):
    """A column that no JSON request can carry. `found` is its type, `fix` the declaration for the contract."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(f"{found}: write {fix}")
        self.found, self.fix = found, fix


def type_of(column: pd.Series) -> Any:
    """Return the type of a training column, a `ColumnType`.

    Raises:
        Unfit: No request can carry it.
    """
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _category(dtype)
    if isinstance(dtype, pd.StringDtype):
        return TextType(storage=dtype.storage, missing="NA" if dtype.na_value is pd.NA else "NaN")  # pyright: ignore[reportArgumentType]
    if isinstance(dtype, pd.DatetimeTZDtype) or _is_numpy(dtype, "M"):
        return _time(dtype)
    if _is_numpy(dtype, "O"):
        return _objects(column)
    try:
        found = NumberType(dtype=str(dtype))  # pyright: ignore[reportArgumentType] - checked by the model
    except ValidationError:
        raise Unfit(str(dtype), _fix(dtype)) from None
    if "float" in str(dtype).lower() and _has_infinite(column):
        raise Unfit(f"{dtype} with infinite values", "a check that refuses them, or make them missing in the data")
    return found


def _is_numpy(dtype: Any, kind: str) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind == kind


def _has_infinite(column: Any) -> bool:
    return bool(np.isinf(column.dropna().to_numpy(dtype="float64")).any())


def _time(dtype: Any) -> TimeType:
    if not isinstance(dtype, pd.DatetimeTZDtype):
        unit: Any = np.datetime_data(dtype)[0]
        return TimeType(unit=unit)
    zone, unit = str(dtype.tz), dtype.unit
    try:
        named = pd.DatetimeTZDtype(unit, zone) == dtype
    except (TypeError, ValueError, KeyError):
        named = False
    if not named:
        raise Unfit(f"{dtype}, a zone without a name", f'Column("datetime64[{unit}, UTC]", coerce=True)')
    return TimeType(unit=unit, zone=zone)


def _objects(column: Any) -> ObjectType:
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found not in _OBJECTS:
        kinds = sorted({type(value).__name__ for value in column.dropna().head(1000)})
        fix = _FIXES.get(found, _mixed(kinds))
        if found.startswith("integer") and any(abs(value) > _LARGEST for value in column.dropna()):
            fix = "Column(str, coerce=True)"
        raise Unfit(f"object of {', '.join(kinds[:5]) or 'missing values only'}", fix)
    markers = sorted({_marker(value) for value in column[column.isna()]})
    if len(markers) > 1:
        raise Unfit(f"object with {' and '.join(markers)} as missing values", "Column(str, nullable=True, coerce=True)")
    holds: Any = _OBJECTS[found]
    missing: Any = markers[0] if markers else "None"
    return ObjectType(holds=holds, missing=missing)


def _mixed(kinds: list[str]) -> str:
    if set(kinds) & {"list", "tuple", "dict", "set", "ndarray"}:
        return "a column of its own for each value"
    return "Column(str, coerce=True)"


def _marker(value: Any) -> Missing:
    if value is None:
        return "None"
    if value is pd.NA:
        return "NA"
    return "NaT" if value is pd.NaT else "NaN"


def _category(dtype: pd.CategoricalDtype) -> CategoryType:
    categories = pd.Series(dtype.categories)
    found = f"category of {categories.dtype}"
    if not 0 < len(categories) <= MAX_CATEGORIES:
        raise Unfit(f"{found} with {len(categories):,} categories", "Column(str, coerce=True)")
    try:
        of = type_of(categories)
    except Unfit as error:
        raise Unfit(f"category of {error.found}", "pa.Category with categories of text") from None
    if not isinstance(of, NumberType | TextType | ObjectType) or getattr(of, "holds", "") == "date":
        raise Unfit(found, "pa.Category with categories of text")
    values = tuple(of.written(value) for value in categories)
    return CategoryType(of=of, values=values, ordered=bool(dtype.ordered))


def _fix(dtype: Any) -> str:
    """Return the declaration for a contract in place of a type of pandas' or NumPy's own."""
    name = str(dtype)
    if name in _SIGNED:
        return f'Column("{_SIGNED[name]}", coerce=True)'
    if isinstance(dtype, pd.SparseDtype):
        return f'Column("{dtype.subtype}", coerce=True)'
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow(dtype)
    kinds = {"c": "complex", "m": "timedelta", "S": "bytes", "f": "floating"}
    words = (word for word in ("period", "interval") if name.lower().startswith(word))
    return _FIXES.get(next(words, kinds.get(dtype.kind, "")), "Column(str, coerce=True)")


def _arrow(dtype: pd.ArrowDtype) -> str:
    name = {"i": "Int64", "u": "Int64", "f": "Float64", "b": "boolean", "M": "datetime64[us]"}.get(dtype.kind)
    if str(dtype).startswith(("decimal", "duration")):
        return "Column(float, coerce=True)"
    return f'Column("{name}", coerce=True)' if name else "Column(str, coerce=True)"


def unfit_columns(inputs: pd.DataFrame) -> Iterator[str]:
    """Yield one sentence for each column that no request can carry."""
    table: Any = inputs
    for position, name in enumerate(table.columns):
        try:
            type_of(table.iloc[:, position])
        except Unfit as error:
            yield f"column {name} is {error.found}, which no JSON request can carry; write {error.fix}"
