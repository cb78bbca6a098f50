"""Signatures of MLflow: what they become, and the tables that models are given."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema

from ml_workloads.runtime.serving.columns import Column, SignatureError, columns_of, request_model, table
from tests.unit.ml_workloads.runtime.serving.registries import COLUMNS


def tabled(columns: tuple[Column, ...], *rows: dict[str, Any]) -> pd.DataFrame:
    return table(request_model(columns).model_validate({"instances": list(rows)}), columns)


def test_an_inferred_signature_becomes_columns():
    frame = pd.DataFrame({"age": [1], "spent in total": [1.5], "country": ["DE"]})
    found = columns_of(infer_signature(frame, [0]))
    assert [(column.name, column.type, column.required) for column in found] == [
        ("age", DataType.long, True),
        ("spent in total", DataType.double, True),
        ("country", DataType.string, True),
    ]


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        (None, "the model has no signature"),
        (infer_signature(np.zeros((2, 2)), [0]), "names no columns; infer it from a DataFrame"),
        (ModelSignature(inputs=Schema([ColSpec(DataType.binary, "image")])), "column image is of type"),
    ],
)
def test_a_signature_that_cannot_be_served_is_refused(signature: ModelSignature | None, said: str):
    with pytest.raises(SignatureError, match=said):
        columns_of(signature)


def test_a_table_has_the_columns_of_the_signature_in_its_order_and_types():
    row = {"spent in total": 1, "age": 30, "country": "DE"}
    made = tabled(COLUMNS, row, {**row, "country": None})
    assert list(made.columns) == ["age", "spent in total", "country"]
    assert [str(kind) for kind in made.dtypes] == ["int64", "float64", "object"]
    assert made["country"].tolist() == ["DE", None]


def test_what_is_not_required_may_be_left_out():
    columns = (Column(name="age", type=DataType.long, required=False), Column(name="id", type=DataType.integer))
    made = tabled(columns, {"id": 1}, {"id": 2, "age": 3})
    assert made["age"].tolist() == [None, 3]
    assert str(made["id"].dtype) == "int32"


def test_times_are_read_with_their_zone_and_kept_in_utc():
    made = tabled((Column(name="at", type=DataType.datetime),), {"at": "2026-03-01T12:00:00+02:00"})
    assert made["at"].tolist() == [pd.Timestamp(datetime(2026, 3, 1, 10))]
