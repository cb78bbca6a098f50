"""Sample rows generated from a contract satisfy it, for every kind of column and check; impossible ones are errors."""

from __future__ import annotations

import random
import re
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

from ml_workloads.runtime.contract import check
from ml_workloads.runtime.sample import ROWS, BrokenCheckError, SampleError, generate, schema_of
from ml_workloads.runtime.sample_text import TextError, matching

C, K = pa.Column, pa.Check
TARGET = C(str, K.isin(["yes", "no"]))
COLUMNS: dict[str, Any] = {
    "float": C(float),
    "float32": C("float32", K.in_range(0, 1, include_min=False, include_max=False)),
    "bounded by a name of its own": C(float, K.ge(5, name="mine")),
    "empty range but one": C(int, K.in_range(3, 3)),
    "whole": C(int, [K.gt(-3), K.lt(3)]),
    "unsigned": C("uint8"),
    "nullable whole": C("Int64", nullable=True),
    "unique whole": C(int, unique=True),
    "bool": C(bool),
    "nullable bool": C("boolean", nullable=True),
    "text": C(str, nullable=True),
    "pattern": C(str, K.str_matches(r"^[A-Z]{2}-\d{3,5}(x|yz)?$")),
    "not of a class": C(str, K.str_matches(r"[^0-9]+\.\w*")),
    "length": C(str, K.str_length(2, 3)),
    "exact length": C(str, K.str_length(exact_value=9)),
    "start and end": C(str, [K.str_startswith("id-"), K.str_endswith("!")], unique=True),
    "list": C(str, K.isin(["a", "b", "c"])),
    "not in a list": C(int, [K.in_range(1, 3), K.notin([2])]),
    "not equal": C(str, K.ne("alpha")),
    "equal": C(int, K.eq(7)),
    "category": C(pd.CategoricalDtype(["low", "high"], ordered=True)),
    "time": C("datetime64[ns]", K.ge(pd.Timestamp("2020-06-01"))),
    "time before": C("datetime64[us]", K.lt(pd.Timestamp("1990-01-01"))),
    "time in a zone": C("datetime64[ns, Europe/Berlin]", nullable=True),
    "duration": C("timedelta64[ns]"),
    "decimal": C(pa.Decimal(10, 2), coerce=True),
    "day": C(pa.Date),
    "each value": C(int, K(lambda value: value % 3 == 0, element_wise=True)),
    "no type": C(checks=K.isin([1, 5])),
    "no type, a pattern": C(checks=K.str_matches("a+")),
    "coerced": C(float, coerce=True, nullable=True),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_meet_the_contract_with_each_kind_of_column(name: str):
    schema = pa.DataFrameSchema({"column": COLUMNS[name], "target": TARGET}, strict=True)
    frame: Any = generate(schema, "target", classes=True)
    assert len(check(frame, schema)) == len(frame) >= 20
    assert frame["target"].value_counts().min() >= 2
    assert frame["column"].isna().any() == bool(COLUMNS[name].nullable)


FRAMES: dict[str, pa.DataFrameSchema] = {
    "one not below another": pa.DataFrameSchema(
        {"low": C(float), "high": C(float), "target": TARGET}, checks=K(lambda table: table["low"] <= table["high"])
    ),
    "six in ascending order": pa.DataFrameSchema(
        {**{f"c{n}": C(float) for n in range(6)}, "target": TARGET},
        checks=[K(lambda table, n=n: table[f"c{n}"] <= table[f"c{n + 1}"]) for n in range(5)],
    ),
    "in descending order": pa.DataFrameSchema(
        {**{f"c{n}": C(int) for n in range(6)}, "target": TARGET},
        checks=[K(lambda table, n=n: table[f"c{n}"] >= table[f"c{n + 1}"]) for n in range(5)],
    ),
    "an end after its start": pa.DataFrameSchema(
        {"start": C("datetime64[ns]"), "end": C("datetime64[ns]"), "target": TARGET},
        checks=K(lambda table: table["start"] < table["end"]),
    ),
    "unique together": pa.DataFrameSchema(
        {"a": C(int, K.in_range(0, 9)), "b": C(int, K.in_range(0, 9)), "target": TARGET}, unique=["a", "b"]
    ),
    "one type for all": pa.DataFrameSchema({"a": C(), "b": C(), "target": C(float)}, dtype=float),
    "names by a pattern": pa.DataFrameSchema({r"^f_\d+$": C(float, regex=True), "target": TARGET}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_rules_over_columns_are_met(name: str):
    schema = FRAMES[name]
    frame = generate(schema, "target", classes=schema.dtype is None)
    assert len(check(frame, schema)) >= 20


class Model(pa.DataFrameModel):
    age: int = pa.Field(ge=18, le=99)
    country: str = pa.Field(isin=["de", "fr"], nullable=True)
    target: int = pa.Field(isin=[0, 1, 2])

    @pa.dataframe_check
    def adults_of_france_are_older(cls, table: Any) -> Any:
        return (table["country"] != "fr") | (table["age"] >= 21)


def test_a_contract_that_is_a_class_is_met_too():
    frame = generate(schema_of(Model), "target", classes=True)
    assert sorted(check(frame, Model)["target"].unique()) == [0, 1, 2]


@pytest.mark.parametrize("column", [C(str), C(int), C(str, K.str_length(3)), C(int, K.ne(1)), C("category")])
def test_a_target_of_classes_without_a_list_gets_two(column: Any):
    frame: Any = generate(pa.DataFrameSchema({"x": C(float), "target": column}), "target", classes=True)
    assert frame["target"].nunique() == 2


def test_a_target_of_numbers_gets_many():
    frame: Any = generate(pa.DataFrameSchema({"x": C(float), "target": C(int)}), "target", classes=False)
    assert frame["target"].nunique() > 20


def test_the_same_contract_gives_the_same_rows():
    first, second = (generate(FRAMES["one not below another"], "target", classes=True) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert len(first) == ROWS


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (C(str, K.str_matches("(?<=a)b")), "column x: no text is known to match"),
        (C("complex128"), "column x: nothing is known of the type complex128"),
        (C(float, K(lambda values: values.mean() > 1e9, name="rich")), "do not meet the contract .*rich"),
        (C(float, K(lambda values: values > 1e9, name="rich")), "do not meet the contract .*rich"),
    ],
)
def test_what_cannot_be_made_up_is_said_with_how_to_give_rows(column: Any, said: str):
    with pytest.raises(SampleError, match=f"{said}.*--sample FILE"):
        generate(pa.DataFrameSchema({"x": column, "target": TARGET}), "target", classes=True)


@pytest.mark.parametrize(
    ("checks", "of_table"),
    [(K(lambda values: values.nothing(), name="rich"), False), (K(lambda table: table["z"] > 0, name="rich"), True)],
)
def test_a_check_that_raises_is_the_contracts_mistake(checks: Any, of_table: bool):
    columns = {"x": C(float, None if of_table else checks), "target": TARGET}
    with pytest.raises(BrokenCheckError, match=r"the check .* raises"):
        generate(pa.DataFrameSchema(columns, checks=checks if of_table else None), "target", classes=True)


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d{2}", "(ab|cd)+?e*", "[^a-z ]x", r"\w+@\w+\.(com|org)", "a.c", r"\s\S", "^$", "(?:x){2,}"]
)
def test_text_matches_its_pattern(pattern: str):
    source = random.Random(1)
    assert all(re.match(pattern, matching(pattern, source)) for _ in range(30))


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)b"])
def test_a_pattern_that_is_too_much_is_named(pattern: str):
    with pytest.raises(TextError, match=re.escape(repr(pattern))):
        matching(pattern, random.Random(1))
