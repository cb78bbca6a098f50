"""Data that violates its contract is rejected with columns, rows and values."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest

from ml_workloads.runtime.contract import ContractError, check, schema_of

CUSTOMERS = pa.DataFrameSchema(
    {
        "age": pa.Column(int, pa.Check.in_range(0, 120)),
        "country": pa.Column(str, pa.Check.isin(["DE", "FR"])),
        "spent": pa.Column(float, nullable=False, coerce=True),
    },
    strict=True,
)
SOUND = pd.DataFrame({"age": [30, 40, 50], "country": ["DE", "FR", "DE"], "spent": [1.0, 2.0, 3.0]})


class Model(pa.DataFrameModel):
    age: int = pa.Field(ge=0)


def said(frame: pd.DataFrame) -> list[str]:
    with pytest.raises(ContractError) as refused:
        check(frame, CUSTOMERS)
    return [line.strip() for line in str(refused.value).splitlines()]


def test_what_meets_the_contract_comes_back_with_its_types():
    checked = check(SOUND.assign(spent=[1, 2, 3]), CUSTOMERS)
    assert checked["spent"].dtype == float
    assert check(SOUND.loc[:, ["age"]], Model)["age"].tolist() == [30, 40, 50]


def test_rows_and_values_are_named():
    heading, age = said(SOUND.assign(age=[30, -1, 200]))
    assert heading == "the data breaks its contract in 1 way"
    assert age == "column age: the contract demands in_range(0, 120); row 1 (-1), 2 (200)"


def test_everything_is_told_at_once():
    heading, *problems = said(SOUND.assign(age=[30, -1, 40], country=["DE", "FR", "US"], spent=[1.0, None, 2.0]))
    assert heading == "the data breaks its contract in 3 ways"
    assert {problem.partition(":")[0] for problem in problems} == {"column age", "column country", "column spent"}
    assert any("row 2 (US)" in problem for problem in problems)


def test_missing_and_unknown_columns_are_named():
    assert "column age: missing" in said(SOUND.drop(columns="age"))
    assert "column zebra: not in the contract" in said(SOUND.assign(zebra=1))


def test_of_many_rows_the_first_ones_are_shown():
    frame = pd.DataFrame({"age": [-1] * 1000, "country": ["DE"] * 1000, "spent": [1.0] * 1000})
    (_, line) = said(frame)
    assert line.endswith("row 0 (-1), 1 (-1), 2 (-1), 3 (-1), 4 (-1) and 995 more")


def test_a_column_of_another_type_is_named():
    assert any(line.startswith("column age: got") for line in said(SOUND.assign(age=["a", "b", "c"])))


class Unknown(pa.DataFrameModel):
    age: "nosuch"  # noqa: F821  # pyright: ignore[reportUndefinedVariable]


class Stray(pa.DataFrameModel):
    age: int

    @pa.check("weight")
    def heavy(cls, weights: Any) -> Any:
        return weights > 0


BROKEN = {
    "annotation that is none": Unknown,
    "check of no column": Stray,
    "name that is no pattern": pa.DataFrameSchema({"age(": pa.Column(int, regex=True)}),
}


@pytest.mark.parametrize("contract", BROKEN.values(), ids=BROKEN)
def test_a_contract_that_cannot_be_built_is_refused_without_data(contract: Any):
    with pytest.raises(ContractError, match="the contract itself is wrong: "):
        schema_of(contract)


def nothing(_part: Any) -> None:
    return None


FAILING = {
    "check that is no column of truth values": pa.DataFrameSchema(
        {"age": pa.Column(int)}, checks=pa.Check(lambda _frame: False), drop_invalid_rows=True
    ),
    "parser of a column that returns nothing": pa.DataFrameSchema({"age": pa.Column(int, parsers=pa.Parser(nothing))}),
    "parser of the table that returns nothing": pa.DataFrameSchema({"age": pa.Column(int)}, parsers=pa.Parser(nothing)),
    "index of several levels": pa.DataFrameSchema(
        {"age": pa.Column(int)}, index=pa.MultiIndex([pa.Index(int, name="a"), pa.Index(int, name="b")])
    ),
}


@pytest.mark.parametrize("contract", FAILING.values(), ids=FAILING)
def test_a_contract_that_fails_on_the_data_is_refused(contract: Any):
    with pytest.raises(ContractError):
        check(SOUND, contract, "country")


def parsed(kind: Any, change: Any, **more: Any) -> pa.Column:
    return pa.Column(kind, parsers=pa.Parser(change), **more)


TRUTH, TEXT = pa.Column(bool, coerce=True), pa.Column(str, nullable=True, coerce=True)
TIME = pa.Column("datetime64[us]", coerce=True)
DAYS = pd.to_datetime(["2024-01-01", "2024-01-02"])
CHANGES: dict[str, tuple[list[Any], pa.Column, str]] = {
    "text": ([" DE", "fr"], parsed(str, lambda s: s.str.strip()), "in 1 row (row 0: ' DE' becomes 'DE')"),
    "numbers": ([1.0, 2.0], parsed(float, lambda s: s * -1), "in 2 rows (row 0: 1.0 becomes -1.0, row 1: 2.0"),
    "fractions": ([0.35, 1.0], pa.Column(int, coerce=True), "in 1 row (row 0: 0.35 becomes 0)"),
    "filled": ([None, 2.0], parsed(float, lambda s: s.fillna(0)), "in 1 row (row 0: missing becomes 0.0)"),
    "made missing": ([-999.0, 2.0], parsed(float, lambda s: s.where(s > 0), nullable=True), "-999.0 becomes missing"),
    "truth": ([True, None], pa.Column(bool, nullable=True, coerce=True), 'write Column("boolean", nullable=True, co'),
    "text to truth": (["yes", "no"], TRUTH, "(row 0: 'yes' becomes True, row 1: 'no' becomes True)"),
    "False to truth": (["True", "False"], TRUTH, "in 1 row (row 1: 'False' becomes True): requests are not"),
    "numbers to truth": ([1, 2], TRUTH, "2 becomes True): requests are not changed by it; write true and false"),
    "whole floats to text": ([41.0, None], TEXT, "41.0 becomes '41.0'): requests are not changed by it; cast it"),
    "numbers to times": ([20240101, 20240105], TIME, "write text such as 2024-01-31"),
    "times to numbers": ([*DAYS], pa.Column(int, coerce=True), "keep it as it is read, and convert it"),
    "times to text": ([*DAYS], TEXT, "in 2 rows"),
    "decimals cut off": (
        [Decimal("12.75"), Decimal(3)],
        pa.Column(int, coerce=True),
        "(row 0: Decimal('12.75') becomes",
    ),
    "mixed numbers cut off": ([1, 2.5], pa.Column(int, coerce=True), "2.5 becomes 2"),
    "many": ([1] * 10, parsed(int, lambda s: s + 1), "in 10 rows (row 0: 1 becomes 2, "),
}


@pytest.mark.parametrize(("values", "column", "words"), CHANGES.values(), ids=CHANGES)
def test_a_contract_that_changes_inputs_is_refused(values: list[Any], column: pa.Column, words: str):
    mixed = (None in values and True in values) or {type(value) for value in values} == {int, float}
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object if mixed else None), "y": 1})
    schema = pa.DataFrameSchema({"x": column, "y": pa.Column(int)})
    with pytest.raises(ContractError) as refused:
        check(frame, schema, "y")
    assert str(refused.value).startswith("the contract changes column x in ")
    assert words in str(refused.value)
    assert str(refused.value).count("becomes") <= 5
    # The target is in no request.
    assert len(check(frame.rename(columns={"x": "y", "y": "x"}), schema.rename_columns({"x": "y", "y": "x"}), "y"))


KEPT: dict[str, tuple[list[Any], pa.Column]] = {
    "text to numbers": (["1", "2"], pa.Column(int, coerce=True)),
    "text to times": (["2024-01-02", "2024-01-03"], pa.Column("datetime64[ns]", coerce=True)),
    "text to categories": (["a", "b"], pa.Column(pd.CategoricalDtype(["a", "b"]), coerce=True)),
    "numbers to text": ([1, 2], pa.Column(str, coerce=True)),
    "truth to truth that may be missing": ([True, False], pa.Column("boolean", coerce=True)),
    "narrower floats": ([0.1, 0.7], pa.Column("float32", coerce=True)),
    "whole floats": ([1.0, 2.0], pa.Column(int, coerce=True)),
    "truth as text": (["True", "true"], pa.Column(bool, coerce=True)),
    "0 and 1 to truth": ([1, 0], pa.Column(bool, coerce=True)),
    "decimals to floats": ([Decimal("12.75"), Decimal(3)], pa.Column(float, coerce=True)),
    "decimals to text": ([Decimal("12.75"), Decimal(3)], pa.Column(str, coerce=True)),
    "days to times": ([date(2024, 1, 2), date(2024, 1, 3)], pa.Column("datetime64[us]", coerce=True)),
    "fractions to text": ([0.5, 1.5], pa.Column(str, coerce=True)),
    "default": ([1.0, None], pa.Column(float, default=0.0)),
    "missing stays missing": ([1.0, None], pa.Column("Float64", nullable=True, coerce=True)),
}


@pytest.mark.parametrize(("values", "column"), KEPT.values(), ids=KEPT)
def test_a_contract_may_convert_types(values: list[Any], column: pa.Column):
    frame = pd.DataFrame({"x": values, "y": 1})
    assert len(check(frame, pa.DataFrameSchema({"x": column, "y": pa.Column(int)}), "y")) == 2


def test_rows_and_columns_may_be_left_out_and_columns_added():
    schema = pa.DataFrameSchema(
        {
            "x": pa.Column(float, pa.Check.gt(0)),
            "z": pa.Column(float, default=1.0),
            "y": pa.Column(int),
        },
        strict="filter",
        add_missing_columns=True,
        drop_invalid_rows=True,
    )
    frame = pd.DataFrame({"x": [-1.0, 2.0, np.nan, 4.0], "other": 1, "y": 1})
    checked = check(frame, schema, "y")
    assert sorted(checked.columns) == ["x", "y", "z"]
    assert (checked["x"].tolist(), checked["z"].tolist()) == ([2.0, 4.0], [1.0, 1.0])
