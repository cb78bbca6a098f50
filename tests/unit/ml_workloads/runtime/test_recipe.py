"""Tables that a contract's description builds from raw data equal those that the contract itself builds."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest

from ml_workloads.runtime.contract import check
from ml_workloads.runtime.recipe import ColumnRecipe, Recipe, RecipeError, describe_contract

RAW = pd.DataFrame(
    {
        "age": ["1", "2", "3", "4"],
        "spent": [1, 2, 3, 4],
        "joined": ["2024-01-31", "2024-02-01", "2024-03-01", "2024-04-01"],
        "plan": ["a", "b", "a", "b"],
        "active": [True, None, False, True],
        "note": ["x", None, "z", "w"],
        "leaves": ["yes", "no", "no", "yes"],
    }
)
COLUMNS: dict[str, Any] = {
    "age": pa.Column(int, coerce=True),
    "spent": pa.Column(float, coerce=True),
    "joined": pa.Column("datetime64[ns]", coerce=True),
    "plan": pa.Column("category", coerce=True),
    "active": pa.Column("boolean", nullable=True, coerce=True),
    "note": pa.Column(str, nullable=True),
    "leaves": pa.Column(str),
}


def both(schema: pa.DataFrameSchema, raw: pd.DataFrame = RAW) -> tuple[pd.DataFrame, pd.DataFrame]:
    checked = check(raw, schema, "leaves")
    defaults = {str(name): column.default for name, column in schema.columns.items()}
    sent = describe_contract(raw, checked, defaults).model_dump_json()
    return checked, Recipe.model_validate_json(sent).apply(raw)


def test_types_are_those_of_the_contract():
    checked, made = both(pa.DataFrameSchema(COLUMNS))
    pd.testing.assert_frame_equal(made, checked)


def test_columns_and_rows_that_the_contract_leaves_out_are_left_out():
    schema = pa.DataFrameSchema(
        {"leaves": pa.Column(str), "spent": pa.Column(int, pa.Check.ge(2))}, strict="filter", drop_invalid_rows=True
    )
    checked, made = both(schema)
    assert list(made.index) == [1, 2, 3]
    pd.testing.assert_frame_equal(made, checked)


def test_a_default_fills_what_is_missing():
    checked, made = both(pa.DataFrameSchema({**COLUMNS, "note": pa.Column(str, default="none")}))
    assert made["note"].tolist() == ["x", "none", "z", "w"]
    pd.testing.assert_frame_equal(made, checked)


def test_days_are_made_of_text():
    checked, made = both(pa.DataFrameSchema({**COLUMNS, "joined": pa.Column(pa.Date, coerce=True)}))
    assert made["joined"].tolist() == checked["joined"].tolist()


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(left_out=[4], columns=[]), "leaves out row 4 of a table of 4 rows"),
        (Recipe(columns=[ColumnRecipe(name="new", dtype="int64", kind="number")]), "adds the column new"),
        (Recipe(columns=[ColumnRecipe(name="plan", dtype="int64", kind="number")]), "column plan cannot be made int64"),
        (Recipe(columns=[ColumnRecipe(name="plan", dtype="none", kind="text")]), "column plan cannot be made none"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(recipe: Recipe, said: str):
    with pytest.raises(RecipeError, match=said):
        recipe.apply(RAW)


def test_no_value_of_a_contract_is_used():
    """A contract that leaks the target in an input is described by its types alone."""
    checked = RAW.assign(spent=[1, 0, 0, 1])
    made = describe_contract(RAW, checked, {}).apply(RAW)
    assert made["spent"].tolist() == [1, 2, 3, 4]


def test_rows_that_are_not_in_the_data_are_refused():
    with pytest.raises(RecipeError, match="rows that the data does not have"):
        describe_contract(RAW, RAW.set_axis([0, 1, 2, 9]), {})
