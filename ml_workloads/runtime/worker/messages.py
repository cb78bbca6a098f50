"""Messages between the conductor and a worker over HTTP, beside tables as Arrow files."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

PORT: Final = 8081
HEALTH, CONTRACT, DATA, CHECK, MODEL, PREDICT = "/healthz", "/contract", "/data", "/check", "/model", "/predict"
REFUSED, FAILED = 422, 500
"""HTTP statuses of a recognised mistake, and of an exception that the project's code raises."""

Method = Literal["predict", "predict_proba", "decision_function"]
METHODS: Final[tuple[Method, ...]] = ("predict", "predict_proba", "decision_function")
Value = bool | int | float | str | None


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(_Message):
    """The reason why a worker does not answer: a sentence for the project's team."""

    error: str = Field(max_length=20_000)


class ContractAnswer(_Message):
    """Columns that the contract declares as text, by name and by regular expression."""

    names: list[str]
    patterns: list[str]


class ModelAnswer(_Message):
    """Methods of a model. `classes` are a classifier's, in the order of its probability columns."""

    kind: str = Field(max_length=200)
    methods: list[Method]
    classes: list[Value] | None = None


class Predictions(_Message):
    """One value for each row, or one list of numbers of equal length for each row."""

    values: list[Value] | list[list[float]]


def plain(values: Any) -> Any:
    """Return an array of predictions in a form that JSON can represent."""
    return values.tolist() if hasattr(values, "tolist") else list(values)
