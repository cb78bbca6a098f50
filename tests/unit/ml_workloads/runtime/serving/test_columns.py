"""Columns of a model, from its signature or training's description, and their allowed values in requests."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pyarrow
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema
from pydantic import ValidationError

from ml_workloads.runtime.serving.columns import (
    INPUTS,
    Column,
    SignatureError,
    columns_of,
    describe,
    instances,
    request_model,
    table,
)
from tests.unit.ml_workloads.runtime.serving.registries import COLUMNS
from tests.unit.ml_workloads.runtime.serving.tables import NULLABLE, TYPES, column


def tabled(columns: tuple[Column, ...], *rows: dict[str, Any]) -> pd.DataFrame:
    return table(request_model(columns).model_validate_json(json.dumps({"instances": list(rows)})), columns)


def trained(series: pd.Series) -> tuple[Column, ...]:
    return columns_of(None, {INPUTS: describe(pd.DataFrame({"x": series}))})


def test_an_inferred_signature_becomes_columns():
    frame = pd.DataFrame({"age": [1], "spent in total": [1.5], "country": ["DE"], "at": pd.Timestamp("2026-01-01")})
    columns = columns_of(infer_signature(frame, [0]), {"something else": 1})
    assert [(column.name, column.nullable) for column in columns] == [(name, False) for name in frame]
    made = tabled(columns, {"age": 1, "spent in total": 2, "country": "DE", "at": "2026-01-01"})
    assert [str(dtype) for dtype in made.dtypes] == ["int64", "float64", "str", "datetime64[ns]"]


def test_what_a_signature_calls_optional_is_missing_as_pandas_has_it():
    kinds = (DataType.string, DataType.long, DataType.integer, DataType.boolean, DataType.double, DataType.datetime)
    signature = ModelSignature(inputs=Schema([ColSpec(kind, kind.name, required=False) for kind in kinds]))
    made = tabled(columns_of(signature), {})
    assert [str(dtype) for dtype in made.dtypes] == ["str", "Int64", "Int32", "boolean", "float64", "datetime64[ns]"]
    assert made.isna().all(axis=None)


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


@pytest.mark.parametrize(
    ("held", "where"),
    [
        ("text", "its top"),
        ({"version": 2, "columns": []}, "version"),
        (
            {"version": 1, "columns": [{"name": "x", "type": {"kind": "number", "dtype": "complex128"}}]},
            "columns.0.type",
        ),
    ],
)
def test_a_description_that_cannot_be_read_is_refused(held: Any, where: str):
    with pytest.raises(SignatureError, match=f"ml_platform_inputs cannot be read at {where}"):
        columns_of(infer_signature(pd.DataFrame({"x": [1]})), {INPUTS: held})


def test_a_table_has_the_columns_of_the_model_in_its_order_and_types():
    row = {"spent in total": 1, "age": 30, "country": "DE"}
    made = tabled(COLUMNS, row, {**row, "country": None})
    assert list(made.columns) == ["age", "spent in total", "country"]
    assert [str(kind) for kind in made.dtypes] == ["int64", "float64", "str"]
    assert made["country"].isna().tolist() == [False, True]


UNFIT: dict[str, tuple[list[Any], Any, str]] = {
    "decimal": ([decimal.Decimal("1.5")], "object", "object of Decimal.*Column\\(float, coerce=True\\)"),
    "uint64": ([1], "uint64", 'uint64.*Column\\("int64", coerce=True\\)'),
    "UInt64": ([1], "UInt64", 'UInt64.*Column\\("Int64", coerce=True\\)'),
    "list": ([[1, 2]], "object", "object of list.*a column of its own for each value"),
    "dict": ([{"a": 1}], "object", "object of dict.*a column of its own"),
    "timedelta": ([pd.Timedelta(1, "h")], "timedelta64[ns]", "timedelta64.*store seconds"),
    "timedelta objects": ([datetime.timedelta(1)], "object", "object of timedelta.*store seconds"),
    "int and str": ([3, "3"], "object", "object of int, str.*Column\\(str, coerce=True\\)"),
    "ints of 25 digits": ([10**24], "object", "object of int.*Column\\(str, coerce=True\\)"),
    "ints as objects": ([3, None], "object", 'object of int.*Column\\("Int64", coerce=True\\)'),
    "bytes": ([b"x"], "object", "object of bytes.*base64"),
    "complex": ([1j], "complex128", "complex128.*two columns"),
    "period": ([pd.Period("2026-01")], "period[M]", "period.*start of the period"),
    "interval": ([pd.Interval(0, 1)], "interval", "interval.*label"),
    "category of intervals": ([pd.Interval(0, 1)], "category", "category of interval.*categories of text"),
    "category of times": ([pd.Timestamp("2026-01-01")], "category", "category of datetime64.*categories of text"),
    "category of nothing": ([None], "category", "category of .* with 0 categories"),
    "sparse": ([0.0, 1.0], pd.SparseDtype("float64"), 'Sparse.*Column\\("float64", coerce=True\\)'),
    "arrow": ([1], "int64[pyarrow]", 'int64\\[pyarrow\\].*Column\\("Int64", coerce=True\\)'),
    "arrow decimal": ([1], pd.ArrowDtype(pyarrow.decimal128(5, 2)), "decimal128.*Column\\(float"),
    "times as objects": ([datetime.datetime(2026, 1, 1)], "object", 'object of datetime.*Column\\("datetime64'),
    "times of day": ([datetime.time(12)], "object", "object of time.*Column\\(str"),
    "nothing at all": ([None, None], "object", "object of missing values only.*the contract without it"),
    "two kinds of missing": (["a", None, float("nan")], "object", "object with NaN and None.*Column\\(str, null"),
    "infinite": ([1.0, float("inf")], "float64", "float64 with infinite values"),
    "infinite Float32": ([1.0, float("-inf")], "Float32", "Float32 with infinite values"),
}


@pytest.mark.parametrize(("values", "dtype", "said"), UNFIT.values(), ids=UNFIT)
def test_what_no_request_can_carry_is_refused_with_type_and_fix(values: list[Any], dtype: Any, said: str):
    with pytest.raises(SignatureError, match=f"column x is {said}"):
        describe(pd.DataFrame({"x": pd.Series(values, dtype=dtype)}))


def test_every_column_that_no_request_can_carry_is_named():
    frame = pd.DataFrame({name: pd.Series(values[:1], dtype=dtype) for name, (values, dtype, _) in UNFIT.items()})
    with pytest.raises(SignatureError) as refused:
        describe(frame.assign(fine=1))
    wrong = set(UNFIT) - {"two kinds of missing", "infinite", "infinite Float32", "int and str"}
    assert all(f"column {name} is " in str(refused.value) for name in wrong)
    assert "column fine" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]), "column names have several levels"),
        ([1, "x"], "column 1 has a name that is no text"),
        (["x", "x"], "column x is there twice"),
    ],
)
def test_names_that_no_request_can_have_are_refused(names: Any, said: str):
    with pytest.raises(SignatureError, match=said):
        describe(pd.DataFrame([[1, 2]], columns=names))
    with pytest.raises(SignatureError, match="there are no columns"):
        describe(pd.DataFrame(index=[1, 2]))


WHOLE, SINGLE, DOUBLE = pd.Series([1], dtype="int8"), pd.Series([1], dtype="float32"), pd.Series([1.0])
LONG, TEXT, TRUTH = pd.Series([1]), pd.Series(["a"], dtype="str"), pd.Series([True])
GROUP, LEVEL = pd.Series(["a", "b"], dtype="category"), pd.Series([1, 2], dtype="category")
ZONED, PLAIN = pd.Series(["2026-01-01"], dtype="datetime64[us, UTC]"), pd.Series(["2026-01-01"], dtype="datetime64[s]")
DAY = pd.Series([datetime.date(2026, 1, 1)])
# What is sent as JSON, and whether it is accepted.
SENT: list[tuple[pd.Series, str, bool]] = [
    *[(WHOLE, text, True) for text in ("41", "41.0", "-128", "127", "1e2", "-0.0")],
    *[(WHOLE, text, False) for text in ("41.5", "true", '"41"', "128", "128.0", "-129", "1e300", "null", "[1]")],
    *[(LONG, text, True) for text in ("9223372036854775807", "-9223372036854775808", "9007199254740992.0")],
    *[(LONG, text, False) for text in ("9223372036854775808", "1" + "0" * 400, "0.1", "1e-3")],
    *[(SINGLE, text, True) for text in ("1", "0.1", "3.4028234663852886e38", "-3.4028234663852886e38", "1e-60")],
    *[(SINGLE, text, False) for text in ("1e39", "-1e39", "3.5e38", "1" + "0" * 39, "true", '"1"')],
    *[(DOUBLE, text, True) for text in ("1e308", "-1", "5e-324")],
    *[(DOUBLE, text, False) for text in ("1" + "0" * 400, "false", '"NaN"')],
    *[(TEXT, text, True) for text in ('""', '"NA"', '"\\u0000"')],
    *[(TEXT, text, False) for text in ("1", "true", "null", '["a"]')],
    *[(TRUTH, text, True) for text in ("true", "false")],
    *[(TRUTH, text, False) for text in ("1", "0", "1.0", '"true"', "null")],
    *[(GROUP, text, True) for text in ('"a"', '"b"')],
    *[(GROUP, text, False) for text in ('"c"', '""', "1", "null", "{}")],
    *[(LEVEL, text, True) for text in ("1", "2.0")],
    *[(LEVEL, text, False) for text in ("3", "true", '"1"', "1.5")],
    *[(ZONED, text, True) for text in ('"2026-01-01T12:00:00Z"', '"2026-01-01 12:00+02:00"')],
    *[(ZONED, text, False) for text in ('"2026-01-01T12:00:00"', '"2026-01-01"', "1767225600", '"now"', '"12:00Z"')],
    *[(PLAIN, text, True) for text in ('"2026-01-01"', '"2026-01-01T12:00:00"', '"2026-01-01T12:00:00+02:00"')],
    *[(PLAIN, text, False) for text in ("0", '"01.02.2026"', '"2026-01-01T12"', '"tomorrow"')],
    *[(DAY, text, True) for text in ('"2026-01-01"', '"0001-01-01"')],
    *[(DAY, text, False) for text in ('"2026-01-01T00:00:00"', "0", '"20260101"')],
]


@pytest.mark.parametrize(("series", "text", "accepted"), SENT, ids=[f"{s.dtype} {t[:24]}" for s, t, _ in SENT])
def test_the_server_accepts_what_its_document_says_and_nothing_else(series: pd.Series, text: str, accepted: bool):
    model = request_model(trained(series))
    body = f'{{"instances": [{{"x": {text}}}]}}'
    documented = jsonschema.Draft202012Validator(model.model_json_schema()).is_valid(json.loads(body))
    assert documented == accepted
    if accepted:
        model.model_validate_json(body)
        return
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(body)
    assert [each["loc"][:3] for each in refused.value.errors()] == [("instances", 0, "x")]


@pytest.mark.parametrize("name", TYPES)
def test_the_document_accepts_every_row_of_training(name: str):
    series = column(name, 30, missing=0.3 if name in NULLABLE else 0.0)
    columns = trained(series)
    schema = jsonschema.Draft202012Validator(request_model(columns).model_json_schema())
    schema.validate({"instances": instances(pd.DataFrame({"x": series}), columns)})
    assert schema.is_valid({"instances": [{}]}) == (name in NULLABLE)


def test_a_whole_number_with_a_point_that_a_float_may_have_changed_is_refused():
    with pytest.raises(ValidationError, match="without a point or an exponent"):
        tabled(trained(LONG), {"x": 9007199254740994.0})


@pytest.mark.parametrize(
    ("series", "text", "said"),
    [
        (PLAIN, "2026-01-01T12:00:00.5", "no finer than a second"),
        (PLAIN.astype("datetime64[us]"), "2026-01-01T12:00:00.123456789", "no finer than a microsecond"),
        (PLAIN.astype("datetime64[ns]"), "1500-01-01", "between 1678 and 2261"),
        (PLAIN, "2026-02-30", "a time that there is"),
        (PLAIN, "2026-01-01\n", "a time: 2026"),
        (ZONED, "2026-01-01T12:00:00", "with its offset"),
        (DAY, "2026-02-30", "a date, such as"),
    ],
)
def test_a_time_that_the_column_cannot_hold_is_refused(series: pd.Series, text: str, said: str):
    with pytest.raises(ValidationError, match=said):
        tabled(trained(series), {"x": text})


def test_a_column_without_missing_values_in_training_needs_a_value():
    with pytest.raises(ValidationError, match="Field required"):
        tabled(trained(pd.Series(["a"], dtype="string")), {})


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("0001-01-01T00:00:00Z", "America/New_York"),  # the least time of .NET, which its clients send for none
        ("0000-01-01T00:00Z", "Europe/Berlin"),
        ("9999-12-31T23:59:59-12:00", "UTC"),
        ("0001-01-01T00:00:00+05:00", "UTC"),
    ],
)
def test_a_time_beyond_the_calendar_is_answered_with_its_field(text: str, zone: str):
    times = pd.Series(pd.to_datetime(["2026-01-01"], utc=True).tz_convert(zone).as_unit("us"))
    with pytest.raises(ValidationError) as refused:
        request_model(trained(times)).model_validate({"instances": [{"x": text}]})
    assert [each["loc"][:3] for each in refused.value.errors()] == [("instances", 0, "x")]
