"""The data that the image is built with meets its contract, and corrupted data does not."""

from pathlib import Path

import pandas as pd
import pytest
from tumour_diagnosis.contract import tumours as contract
from tumour_diagnosis.dataset import tumours, write

from ml_workloads.runtime.contract import ContractError, check
from ml_workloads.runtime.data import LocalFile, load


def test_what_is_written_is_read_back_and_meets_the_contract(tmp_path: Path):
    path = tmp_path / "data" / "tumours.csv"
    write(path)
    checked = check(load(LocalFile(path=path)).frame, contract)
    assert checked["diagnosis"].value_counts().to_dict() == {"benign": 357, "malignant": 212}
    assert checked.shape == (569, 31)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("mean_area", -1.0, r"column mean_area: .*row 0 \(-1.0\)"),
        ("mean_area", float("nan"), "column mean_area: .*not_nullable"),
        ("diagnosis", "unknown", r"column diagnosis: .*row 0 \(unknown\)"),
        ("worst_radius", 0.0, "worst_is_not_below_mean"),
    ],
)
def test_spoilt_data_is_refused_with_column_and_row(column: str, value: object, said: str):
    table: pd.DataFrame = tumours()
    table.loc[0, column] = value
    with pytest.raises(ContractError, match=said):
        check(table, contract)
