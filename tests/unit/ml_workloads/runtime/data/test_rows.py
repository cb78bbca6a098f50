"""No number changes between a database and the table built from its answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_workloads.runtime.data import DataError
from ml_workloads.runtime.data.database import SqlQuery
from ml_workloads.runtime.data.options import ReadOptions
from ml_workloads.runtime.data.rows import table

ODD = 2**53 + 1


def column(*values: Any) -> pd.Series:
    read: Any = table("postgresql://db/sales", ["n", "x"], [(number, value) for number, value in enumerate(values)])
    return read["x"]


@pytest.mark.parametrize("beside", ["NULL", "1.5"])
@pytest.mark.parametrize("number", [ODD, -ODD, 2**63 - 1])
def test_a_bigint_that_a_float_would_change_is_refused(tmp_path: Path, number: int, beside: str):
    query = f"SELECT 1 AS n, {number} AS x UNION ALL SELECT 2, {beside}"
    source = SqlQuery(url=f"sqlite:///{tmp_path / 'w.db'}", query=query)
    with pytest.raises(DataError, match=r"sqlite:///w\.db: column x holds whole .*; cast it to text in data\.source"):
        source.read(ReadOptions())


def test_a_bigint_that_is_exact_is_read():
    assert column(ODD, 1).tolist() == [ODD, 1]
    assert column(2**64 - 1, 1).tolist() == [2**64 - 1, 1]
    assert column(2**60, None).dropna().tolist() == [float(2**60)]
    assert str(column(1, None).dtype) == "float64"


@pytest.mark.parametrize(
    "values",
    [
        [Decimal(ODD)],
        [Decimal(f"{ODD}.5"), None],
        [Decimal("1e400")],
        [Decimal("1.5"), ODD],
        [10**25],
        [10**400, None],
        [2**63, -1],
    ],
)
def test_other_whole_numbers_that_the_table_would_change_are_refused(values: list[Any]):
    with pytest.raises(DataError, match="postgresql://db/sales: column x holds whole numbers over 9007199254740992"):
        column(*values)


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ([Decimal("0.10"), Decimal("2.3333333333333333")], [0.1, 2.3333333333333335]),
        ([Decimal(7), None], [7.0, None]),
        ([Decimal("1.5"), 2.5, 3], [1.5, 2.5, 3.0]),
        ([Decimal("NaN"), Decimal("Infinity")], [None, float("inf")]),
    ],
)
def test_exact_numbers_become_floats_as_the_fractions_of_a_csv_do(values: list[Any], read: list[Any]):
    found = column(*values)
    assert str(found.dtype) == "float64"
    assert [None if pd.isna(value) else value for value in found] == read


def test_other_values_have_the_types_that_pandas_gives_an_answer():
    moment = dt.datetime(2026, 1, 2, 3, 4, 5)
    rows = [(True, "a", moment, None, moment.date()), (False, None, None, None, None)]
    read = table("db", ["b", "s", "t", "e", "d"], rows)
    assert read.dtypes.astype(str).to_dict() == {
        "b": "bool",
        "s": "str",
        "t": "datetime64[us]",
        "e": "object",
        "d": "object",
    }
    assert list(table("db", ["a", "b"], []).columns) == ["a", "b"]
    assert table("db", ["a", "a"], [(1, 2)]).to_numpy().tolist() == [[1, 2]]
