"""Description of a contract's effect on a table: the rows that it keeps, the columns, and their types.

The contract is the project's code. It runs in a pod that sees the target, so no value that it returns is used: the
conductor builds the table itself, from the data as it was read and this description.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from ml_workloads.runtime.contract_conversions import kind
from ml_workloads.runtime.errors import ProjectError

_pandas: Any = pd  # leaves some types open
Scalar = str | int | float | bool | None


class RecipeError(ProjectError):
    """A contract produces a table that no description covers. The message names the column and the fix."""


class ColumnRecipe(BaseModel):
    """Description of one column.

    `categories` are those of a categorical type, and `dtype` is then the type of the categories.
    `default` fills missing values, or a whole column that the data does not have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    dtype: str = Field(max_length=200)
    kind: str = Field(max_length=40)
    categories: list[Scalar] | None = None
    ordered: bool = False
    default: Scalar = None


class Recipe(BaseModel):
    """Description of a table.

    `left_out` are positions of rows, counted from 0; `columns` are in the order of the table.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["recipe"] = "recipe"
    left_out: list[Annotated[int, Field(ge=0)]] = []
    columns: list[ColumnRecipe]

    def apply(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Build the table that the contract describes from the data as it was read.

        Raises:
            RecipeError: a column is not in the data and has no default, or its values cannot be converted.
        """
        outside = [place for place in self.left_out if place >= len(raw)]
        if outside:
            raise RecipeError(f"the contract leaves out row {outside[0]} of a table of {len(raw)} rows")
        kept = np.ones(len(raw), dtype=bool)
        kept[self.left_out] = False
        rows = cast("Any", raw).loc[kept]
        return pd.DataFrame({each.name: _column(rows, each) for each in self.columns}, index=rows.index)


def describe_contract(raw: pd.DataFrame, checked: pd.DataFrame, defaults: dict[str, Any]) -> Recipe:
    """Return the description of the table that a contract returned.

    Args:
        raw: The data as it was read, with an index of distinct values.
        checked: The same data as the contract returned it; its rows are some of `raw`, by their index.
        defaults: Values that the contract fills in, by the name of the column.

    Raises:
        RecipeError: the contract adds rows, or returns two columns with the same name.
    """
    index: Any = checked.index
    if not bool(index.isin(raw.index).all()) or not checked.index.is_unique:
        raise RecipeError("the contract gives back rows that the data does not have; let it only check and convert")
    if not checked.columns.is_unique:
        raise RecipeError("the contract gives back two columns with one name; rename one of them")
    left_out = np.flatnonzero(~cast("Any", raw.index).isin(index))
    return Recipe(
        left_out=[int(place) for place in left_out],
        columns=[_described(str(name), checked[name], _plain(defaults.get(str(name)))) for name in checked.columns],
    )


def _described(name: str, column: Any, default: Scalar) -> ColumnRecipe:
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values = [_plain(value) for value in dtype.categories]
        return ColumnRecipe(
            name=name,
            dtype=str(dtype.categories.dtype),
            kind=kind(column.astype(dtype.categories.dtype) if not column.isna().any() else column.astype(object)),
            categories=values,
            ordered=bool(dtype.ordered),
            default=default,
        )
    return ColumnRecipe(name=name, dtype=str(dtype), kind=kind(column), default=default)


def _plain(value: Any) -> Scalar:
    held = cast("Any", value).item() if isinstance(value, np.generic) else value
    return held if held is None or isinstance(held, str | int | float | bool) else str(held)


def _column(rows: Any, recipe: ColumnRecipe) -> Any:
    if recipe.name not in rows.columns:
        if recipe.default is None:
            raise RecipeError(
                f"the contract adds the column {recipe.name}, which no request carries; make it in the model, or give "
                "it a default in the contract"
            )
        found: Any = pd.Series([recipe.default] * len(rows), index=rows.index)
    else:
        found = rows[recipe.name]
    if recipe.default is not None:
        found = found.fillna(recipe.default)
    try:
        return _converted(found, recipe)
    except (TypeError, ValueError, OverflowError) as error:
        raise RecipeError(
            f"column {recipe.name} cannot be made {recipe.dtype} as the contract has it: "
            f"{' '.join(str(error).split())[:200]}"
        ) from None


def _converted(column: Any, recipe: ColumnRecipe) -> Any:
    if recipe.categories is not None:
        categories = pd.Index(recipe.categories).astype(_pandas.api.types.pandas_dtype(recipe.dtype))
        wanted = pd.CategoricalDtype(categories, ordered=recipe.ordered)
        values = column.astype(categories.dtype) if not column.isna().any() else column
        return values.astype(wanted)
    if recipe.dtype == "object":
        return (
            _pandas.to_datetime(column).dt.date
            if recipe.kind == "date" and kind(column) == "text"
            else column.astype(object)
        )
    return column.astype(_pandas.api.types.pandas_dtype(recipe.dtype))
