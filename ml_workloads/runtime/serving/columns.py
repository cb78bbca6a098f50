"""Input columns of a model: derived from training's description or a signature, and used for requests and tables.

The table of a request has the same dtypes and missing values as the table that the model was trained on. A signature of
MLflow cannot express them: it calls a column of categories, of Python's text and of pandas' text `string`.
https://mlflow.org/docs/latest/ml/model/signatures/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, create_model

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.serving.column_types import ColumnType, NumberType, TimeType
from ml_workloads.runtime.serving.describe import type_of, unfit_columns

INPUTS: Final = "ml_platform_inputs"
"""Key in the metadata of a logged model."""

# Requests with more rows belong into a batch job.
MAX_ROWS = 1000


class SignatureError(ProjectError):
    """A model cannot be served because of the types of its inputs, or because it does not declare them."""


class Column(BaseModel):
    """A column of the table. A `nullable` column may be null in a request, or left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: ColumnType
    nullable: bool = False


class _Description(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    columns: tuple[Column, ...] = Field(min_length=1)


def describe(inputs: pd.DataFrame) -> dict[str, Any]:
    """Return a description of a training table that JSON can represent, for the metadata key `INPUTS`.

    A column is nullable if `inputs` has a missing value in it.

    Raises:
        SignatureError: No request can carry the table. The message names every such column, its type, and the fix in
            the contract.
    """
    problems = [*_names(inputs.columns)] or [*unfit_columns(inputs)]
    if problems:
        raise SignatureError("\n".join(["the model's inputs cannot come in a request:", *(f"  {p}" for p in problems)]))
    columns = [
        Column(name=name, type=type_of(_column_of(inputs, name)), nullable=bool(_column_of(inputs, name).isna().any()))
        for name in inputs.columns
    ]
    return _Description(columns=tuple(columns)).model_dump(mode="json")


def _names(names: pd.Index) -> list[str]:
    if not len(names):
        return ["there are no columns; the contract needs at least one beside the target"]
    if isinstance(names, pd.MultiIndex):
        return ["column names have several levels; give each column one name of text"]
    wrong = [f"column {name!r} has a name that is no text; rename it" for name in names if not isinstance(name, str)]
    twice = [f"column {name} is there twice; rename one" for name in names[names.duplicated()].unique()]
    return wrong + twice


_TEXT: Final = type_of(pd.Series([""], dtype="str"))
_SIGNATURE: Final[Mapping[DataType, tuple[Any, Any]]] = {
    # The type of a required column, and the type of an optional one.
    DataType.boolean: (NumberType(dtype="bool"), NumberType(dtype="boolean")),
    DataType.integer: (NumberType(dtype="int32"), NumberType(dtype="Int32")),
    DataType.long: (NumberType(dtype="int64"), NumberType(dtype="Int64")),
    DataType.float: (NumberType(dtype="float32"), NumberType(dtype="float32")),
    DataType.double: (NumberType(dtype="float64"), NumberType(dtype="float64")),
    DataType.string: (_TEXT, _TEXT),
    DataType.datetime: (TimeType(unit="ns"), TimeType(unit="ns")),
}


def columns_of(signature: ModelSignature | None, metadata: Mapping[str, Any] | None = None) -> tuple[Column, ...]:
    """Return the columns that a model takes.

    Args:
        signature: MLflow's signature, which is used if the metadata holds no description: text is pandas' `str` then.
        metadata: The `metadata` of the MLmodel file.

    Raises:
        SignatureError: Neither declares the model's inputs, or a column has a type that JSON cannot represent.
    """
    if metadata and INPUTS in metadata:
        try:
            return _Description.model_validate(metadata[INPUTS]).columns
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise SignatureError(
                f"the model's metadata {INPUTS} cannot be read at {where or 'its top'}; register it with this platform"
            ) from None
    if signature is None or signature.inputs is None:
        raise SignatureError("the model has no signature; log it with `signature=infer_signature(inputs, outputs)`")
    specs: Sequence[Any] = signature.inputs.inputs
    if not all(isinstance(spec, ColSpec) and spec.name for spec in specs):
        raise SignatureError("the model's signature names no columns; infer it from a DataFrame, not from an array")
    return tuple(_column(spec) for spec in specs)


def _column(spec: Any) -> Column:
    if spec.type not in _SIGNATURE:
        raise SignatureError(f"column {spec.name} is of type {spec.type}, which a JSON request cannot carry")
    required, optional = _SIGNATURE[spec.type]
    return Column(name=str(spec.name), type=required if spec.required else optional, nullable=not spec.required)


def request_model(columns: Sequence[Column]) -> type[BaseModel]:
    """Return a model of `{"instances": [{column: value, ...}, ...]}`, the format of KServe's and SageMaker's clients.

    It is strict: a wrong type, NaN or an unknown column never reaches the model. Only the first wrong row is reported,
    because rows times columns may be millions of problems.
    https://docs.pydantic.dev/latest/concepts/performance/#failfast-raise-an-error-as-soon-as-a-failure-occurs
    """
    fields: dict[str, Any] = {
        # Pydantic does not allow every name that a column may have, so the names are aliases.
        f"column_{position}": (
            column.type.accepted | None if column.nullable else column.type.accepted,
            Field(default=None if column.nullable else ..., alias=column.name),
        )
        for position, column in enumerate(columns)
    }
    row: Any = create_model("Instance", __config__=ConfigDict(extra="forbid"), **fields)
    rows: Any = Annotated[list[row], FailFast()]
    return create_model(
        "PredictRequest",
        __config__=ConfigDict(extra="forbid"),
        instances=(rows, Field(min_length=1, max_length=MAX_ROWS)),
    )


def table(request: BaseModel, columns: Sequence[Column]) -> pd.DataFrame:
    """Return a request's rows as a table with the model's columns, in its order, with its dtypes and missing values."""
    rows: Sequence[BaseModel] = getattr(request, "instances")  # noqa: B009 - the class is made at run time
    found = {
        column.name: column.type.made([getattr(row, f"column_{position}") for row in rows])
        for position, column in enumerate(columns)
    }
    return pd.DataFrame(found, columns=[column.name for column in columns], copy=False)


def instances(inputs: pd.DataFrame, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return rows of a training table in the form of a request: the inverse of `table`."""
    written = {column.name: _written(column, _column_of(inputs, column.name)) for column in columns}
    return [{name: values[row] for name, values in written.items()} for row in range(len(inputs))]


def _written(column: Column, values: Any) -> list[Any]:
    cells = zip(values, values.isna(), strict=True)
    return [None if missing else column.type.written(value) for value, missing in cells]


def _column_of(inputs: Any, name: str) -> Any:
    """Return one column. Names are unique, so the lookup returns a Series."""
    return inputs[name]
