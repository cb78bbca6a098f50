"""Text columns of a contract are read as written."""

from datetime import date

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.typing import Series

from ml_workloads.runtime.contract import check
from ml_workloads.runtime.data import ReadOptions, text_columns
from ml_workloads.runtime.data.tables import read_part
from tests.unit.ml_workloads.runtime.data.written import part


class Model(pa.DataFrameModel):
    zip: Series[str]
    n: Series[int]


CONTRACTS = {
    "str": pa.DataFrameSchema({"zip": pa.Column(str)}),
    "string": pa.DataFrameSchema({"zip": pa.Column("string")}),
    "coerced": pa.DataFrameSchema({"zip": pa.Column(str, coerce=True, nullable=True)}),
    "a category of text": pa.DataFrameSchema({"zip": pa.Column(pd.CategoricalDtype(["007"]), coerce=True)}),
    "a pattern": pa.DataFrameSchema({"z.*": pa.Column(str, regex=True)}),
    "a model": Model,
}


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_columns_of_text_and_no_others_stay_as_written(contract: object):
    options = ReadOptions(text_columns=text_columns(contract))
    read = read_part(part("t.csv", "zip,n\n007,007\n"), options)
    assert read.to_dict("list") == {"zip": ["007"], "n": [7]}
    assert check(read, contract)["zip"].tolist() == ["007"]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("column", [pa.Column(), pa.Column(int), pa.Column(float, nullable=True)])
def test_a_type_of_the_whole_schema_is_that_of_every_column(column: pa.Column):
    contract = pa.DataFrameSchema({"zip": column}, dtype=str, coerce=True)
    read = read_part(part("t.csv", "zip,n\n007,010\n"), ReadOptions(text_columns=text_columns(contract)))
    assert check(read, contract).to_dict("list") == {"zip": ["007"], "n": ["010"]}
    numbers = pa.DataFrameSchema({"zip": pa.Column(str)}, dtype=int, coerce=True)
    assert "zip" not in text_columns(numbers)


def test_a_day_of_digits_is_a_day_and_no_number_of_nanoseconds():
    contract = pa.DataFrameSchema({"day": pa.Column("datetime64[ns]", coerce=True)})
    read = read_part(part("t.csv", "day\n20240102\n"), ReadOptions(text_columns=text_columns(contract)))
    assert check(read, contract)["day"].tolist() == [pd.Timestamp("2024-01-02")]


def test_a_date_of_digits_is_that_date():
    contract = pa.DataFrameSchema({"day": pa.Column(pa.Date, coerce=True)})
    read = read_part(part("t.csv", "day\n20240102\n"), ReadOptions(text_columns=text_columns(contract)))
    assert check(read, contract)["day"].tolist() == [date(2024, 1, 2)]


@pytest.mark.parametrize("contract", [None, "schema", int, {"zip": str}])
def test_what_is_no_contract_names_no_columns(contract: object):
    assert "zip" not in text_columns(contract)
