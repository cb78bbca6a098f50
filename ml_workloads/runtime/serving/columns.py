"""What a model takes, from its signature: the check of a request's rows, and the table that the model is given.

https://mlflow.org/docs/latest/ml/model/signatures/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType
from pydantic import BaseModel, ConfigDict, Field, create_model

# A request that needs more rows is work for a batch.
MAX_ROWS = 1000


@dataclass(frozen=True, kw_only=True)
class Kind:
    """`json` is what a value of the type may be in a request, `dtype` what pandas keeps it as."""

    json: Any
    dtype: str


_INT32, _INT64 = 2**31, 2**63
_NUMBER = Annotated[float, Field(strict=True, allow_inf_nan=False)]
KINDS: Mapping[DataType, Kind] = {
    DataType.boolean: Kind(json=Annotated[bool, Field(strict=True)], dtype="bool"),
    DataType.integer: Kind(json=Annotated[int, Field(strict=True, ge=-_INT32, lt=_INT32)], dtype="int32"),
    DataType.long: Kind(json=Annotated[int, Field(strict=True, ge=-_INT64, lt=_INT64)], dtype="int64"),
    DataType.float: Kind(json=_NUMBER, dtype="float32"),
    DataType.double: Kind(json=_NUMBER, dtype="float64"),
    DataType.string: Kind(json=Annotated[str, Field(strict=True)], dtype="object"),
    DataType.datetime: Kind(json=datetime, dtype="datetime64[ns]"),
}


class SignatureError(ValueError):
    """A model cannot be served for what its signature says, or does not say."""


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    type: DataType
    required: bool = True

    @property
    def kind(self) -> Kind:
        return KINDS[self.type]


def columns_of(signature: ModelSignature | None) -> tuple[Column, ...]:
    """The columns that a model takes.

    Raises:
        SignatureError: there is no signature, or it names no columns, or one has a type that JSON cannot carry.
    """
    if signature is None or signature.inputs is None:
        raise SignatureError("the model has no signature; log it with `signature=infer_signature(inputs, outputs)`")
    specs: Sequence[Any] = signature.inputs.inputs
    if not all(isinstance(spec, ColSpec) and spec.name for spec in specs):
        raise SignatureError("the model's signature names no columns; infer it from a DataFrame, not from an array")
    return tuple(_column(spec) for spec in specs)


def _column(spec: Any) -> Column:
    if spec.type not in KINDS:
        raise SignatureError(f"column {spec.name} is of type {spec.type}, which a JSON request cannot carry")
    return Column(name=str(spec.name), type=spec.type, required=bool(spec.required))


def request_model(columns: Sequence[Column]) -> type[BaseModel]:
    """A model of `{"instances": [{column: value, ...}, ...]}`, as KServe's and SageMaker's clients send it.

    Strict: neither a wrong type nor NaN nor a column that the model does not know gets as far as the model.
    """
    fields: dict[str, Any] = {
        # Pydantic does not allow every name that a column may have, so the names are aliases.
        f"column_{position}": (
            column.kind.json if column.required else column.kind.json | None,
            Field(default=... if column.required else None, alias=column.name),
        )
        for position, column in enumerate(columns)
    }
    row: Any = create_model("Instance", __config__=ConfigDict(extra="forbid"), **fields)
    return create_model(
        "PredictRequest",
        __config__=ConfigDict(extra="forbid"),
        instances=(list[row], Field(min_length=1, max_length=MAX_ROWS)),  # pyright: ignore[reportInvalidTypeForm]
    )


def table(request: BaseModel, columns: Sequence[Column]) -> pd.DataFrame:
    """A request's rows as the model expects them: its columns, in its order, with its types."""
    rows: Sequence[BaseModel] = getattr(request, "instances")  # noqa: B009 - the class is made at run time
    found: dict[str, Any] = {}
    for position, column in enumerate(columns):
        values = [getattr(row, f"column_{position}") for row in rows]
        empty = any(value is None for value in values)
        # Whole numbers and truth values of pandas cannot be missing; MLflow takes None for what is not required.
        dtype = "object" if empty and column.kind.dtype in ("bool", "int32", "int64") else column.kind.dtype
        if column.type is DataType.datetime:
            found[column.name] = pd.Series(pd.to_datetime(values, utc=True)).dt.tz_localize(None)
        else:
            found[column.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(found, columns=[column.name for column in columns])
