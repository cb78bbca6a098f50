"""Types of columns that a JSON request can carry, as models that are stored in MLflow's metadata.

Each type has `pandas`, the exact dtype, and `accepted`, the annotation that validates and documents a value in JSON.
`made` builds a column from values in which None stands for a missing one; `written` converts a value back to JSON.
https://pandas.pydata.org/docs/user_guide/basics.html#dtypes
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, Literal, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ml_workloads.runtime.serving.times import DATE, DATE_TIME, read_date, read_time

EXACT: Final = 2**53
"""Largest number up to which a 64-bit float represents every whole number exactly."""

# pandas and NumPy leave some types open.
_Categorical: Any = pd.Categorical
_NumpyType: Any = np.dtype
_Numpy = Literal["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]
_Float = Literal["float16", "float32", "float64"]
_Nullable = Literal["boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "Float32", "Float64"]
Missing = Literal["None", "NaN", "NA", "NaT"]
MISSING: Final[Mapping[str, Any]] = {"None": None, "NaN": float("nan"), "NA": pd.NA, "NaT": pd.NaT}
Scalar = bool | int | float | str


class _Type(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NumberType(_Type):
    """Numbers and truth values. A capitalised name is a dtype that can hold pd.NA."""

    kind: Literal["number"] = "number"
    dtype: _Numpy | _Float | _Nullable

    @cached_property
    def pandas(self) -> Any:
        return pd.Series([], dtype=self.dtype).dtype

    @property
    def accepted(self) -> Any:
        name = self.dtype.lower()
        if name.startswith("bool"):
            return Annotated[bool, Field(strict=True)]
        if name.startswith("float"):
            most = float(np.finfo(name).max)
            return Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-most, le=most)]
        limits = np.iinfo(name)
        bounds = Field(strict=True, ge=int(limits.min), le=int(limits.max))
        # The bounds come first, because otherwise they are missing in the OpenAPI document.
        return Annotated[int, bounds, BeforeValidator(whole_number)]

    def made(self, values: Sequence[Any]) -> Any:
        if self.dtype.startswith("float"):
            values = [float("nan") if value is None else value for value in values]
        return _array(values, self.pandas)

    def written(self, value: Any) -> Scalar:
        return cast("Any", value).item() if isinstance(value, np.generic) else value


class TextType(_Type):
    """Text of pandas. `missing` is NaN for `str`, the default since pandas 3, and NA for `string`."""

    kind: Literal["text"] = "text"
    storage: Literal["python", "pyarrow"]
    missing: Literal["NaN", "NA"]

    @property
    def pandas(self) -> Any:
        return pd.StringDtype(storage=self.storage, na_value=MISSING[self.missing])

    @property
    def accepted(self) -> Any:
        return Annotated[str, Field(strict=True)]

    def made(self, values: Sequence[Any]) -> Any:
        return _array(values, self.pandas)

    def written(self, value: Any) -> Scalar:
        return str(value)


class TimeType(_Type):
    """Points in time.

    Without a zone a time is kept as it is written, or converted to UTC if it is written with an offset.
    """

    kind: Literal["time"] = "time"
    unit: Literal["s", "ms", "us", "ns"]
    zone: str | None = None

    @property
    def pandas(self) -> Any:
        return pd.DatetimeTZDtype(self.unit, self.zone) if self.zone else np.dtype(f"datetime64[{self.unit}]")

    @property
    def accepted(self) -> Any:
        needs = "with an offset, such as Z or +02:00" if self.zone else "one with an offset is converted to UTC"
        schema = {"type": "string", "pattern": DATE_TIME.schema(zoned=bool(self.zone)), "description": f"Time; {needs}"}
        return Annotated[
            Any, BeforeValidator(lambda text: read_time(text, self.unit, self.zone)), WithJsonSchema(schema)
        ]

    def made(self, values: Sequence[Any]) -> Any:
        return pd.array([pd.NaT if value is None else value for value in values], dtype=self.pandas)

    def written(self, value: Any) -> Scalar:
        """Return the time in UTC, because before 1900 zones had offsets with seconds, which RFC 3339 cannot express."""
        return value.tz_convert("UTC").isoformat() if self.zone else value.isoformat()


class ObjectType(_Type):
    """Python objects of one type. `missing` is the value that stands for a missing one in training."""

    kind: Literal["object"] = "object"
    holds: Literal["text", "truth", "date"]
    missing: Missing = "None"

    @property
    def pandas(self) -> Any:
        return np.dtype("object")

    @property
    def accepted(self) -> Any:
        if self.holds == "text":
            return Annotated[str, Field(strict=True)]
        if self.holds == "truth":
            return Annotated[bool, Field(strict=True)]
        return Annotated[Any, BeforeValidator(read_date), WithJsonSchema({"type": "string", "pattern": DATE.schema()})]

    def made(self, values: Sequence[Any]) -> Any:
        # A Series, because DataFrame would convert an array of objects to pandas' text.
        return pd.Series([MISSING[self.missing] if value is None else value for value in values], dtype="object")

    def written(self, value: Any) -> Scalar:
        if self.holds == "truth":
            return bool(value)
        return value.isoformat() if isinstance(value, date) else str(value)


class CategoryType(_Type):
    """Categories of pandas. Other values are rejected, because pandas would turn them into missing ones."""

    kind: Literal["category"] = "category"
    of: Annotated[NumberType | TextType | ObjectType, Field(discriminator="kind")]
    values: tuple[Scalar, ...] = Field(min_length=1)
    ordered: bool = False

    @cached_property
    def pandas(self) -> Any:
        return pd.CategoricalDtype(pd.Index(self.of.made(self.values)), ordered=self.ordered)

    @property
    def accepted(self) -> Any:
        known = {(_json_type(value), value): value for value in self.values}

        def one_of(value: Any) -> Scalar:
            given: Any = (_json_type(value), value) if isinstance(value, bool | int | float | str) else None
            if given not in known:
                raise PydanticCustomError(
                    "category", "Input should be one of the column's {count} categories", {"count": len(known)}
                )
            return known[given]

        return Annotated[Any, BeforeValidator(one_of), WithJsonSchema({"enum": list(self.values)})]

    def made(self, values: Sequence[Any]) -> Any:
        found = [-1 if value is None else self._codes[value] for value in values]
        return _Categorical.from_codes(found, dtype=self.pandas)

    @cached_property
    def _codes(self) -> Mapping[Any, int]:
        return {value: code for code, value in enumerate(self.values)}

    def written(self, value: Any) -> Scalar:
        return self.of.written(value)


ColumnType = Annotated[
    NumberType | TextType | TimeType | ObjectType | CategoryType,
    Field(discriminator="kind"),
]


def _array(values: Sequence[Any], dtype: Any) -> Any:
    return np.array(values, dtype=dtype) if isinstance(dtype, _NumpyType) else pd.array(values, dtype=dtype)


def _json_type(value: Scalar) -> str:
    """Return the JSON type of a value.

    JSON does not distinguish whole numbers from fractions, and in Python True equals the number 1.
    """
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def whole_number(value: Any) -> Any:
    """Return 41 for 41.0, which JSON Schema calls an integer; return any other value unchanged.

    A float above 2**53 may already have lost its last digits, so the intended number is unknown.
    https://json-schema.org/understanding-json-schema/reference/numeric#integer
    """
    if not isinstance(value, float) or not math.isfinite(value) or not value.is_integer():
        return value
    if abs(value) > EXACT:
        raise PydanticCustomError("whole_number", "Input should be written without a point or an exponent")
    return int(value)
