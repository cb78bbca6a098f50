"""Data that breaks its contract is refused with columns, rows and values."""

from typing import Any

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
