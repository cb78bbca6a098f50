"""A word among numbers that is not listed as missing is reported with the setting that fixes it."""

import pandera.pandas as pa
import pytest

from ml_workloads.runtime.contract import ContractError, check
from ml_workloads.runtime.data import ReadOptions
from ml_workloads.runtime.data.tables import read_part
from tests.unit.ml_workloads.runtime.data.written import part

CONTRACT = pa.DataFrameSchema({"age": pa.Column(float, nullable=True), "n": pa.Column(int)})


@pytest.mark.parametrize("word", ["NaN", "NA", "-", "unknown"])
def test_the_word_is_named_and_listing_it_mends_the_data(word: str):
    table = part("t.csv", f"age,n\n1.5,1\n{word},2\n2.5,3\n{word},4\n")
    with pytest.raises(ContractError) as refused:
        check(read_part(table, ReadOptions()), CONTRACT)
    assert f'beside numbers it holds "{word}" (2 times): list what means a missing value in data.missing_values' in str(
        refused.value
    )
    listed = read_part(table, ReadOptions(missing_values=("", word)))
    assert check(listed, CONTRACT)["age"].isna().tolist() == [False, True, False, True]


def test_a_column_of_words_is_not_told_cell_by_cell():
    people = "".join(f"person {number},1\n" for number in range(50))
    with pytest.raises(ContractError) as refused:
        check(read_part(part("t.csv", f"age,n\n{people}7,1\n"), ReadOptions()), CONTRACT)
    assert "person 10" not in str(refused.value)
    assert "data.missing_values" not in str(refused.value)
