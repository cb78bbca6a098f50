"""Exchanged tables read back unchanged: types, missing values and row numbers."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from ml_workloads.runtime.data import DataError
from ml_workloads.runtime.handover.tables import digest, from_bytes, to_bytes

TABLE = pd.DataFrame(
    {
        "number": [1.5, None, -0.0],
        "whole": pd.array([1, None, 2**60], dtype="Int64"),
        "text": ["a", None, "é"],
        "truth": [True, None, False],
        "kind": pd.Categorical(["b", None, "b"], categories=["c", "b"], ordered=True),
        "time": pd.to_datetime(["2024-01-01", None, "2024-02-01"]).tz_localize("UTC"),
        "day": [date(2024, 1, 1), None, date(2024, 2, 1)],
        "held": [b"x", None, b""],
    },
    index=[7, 3, 11],
)


def test_a_table_comes_back_as_it_was():
    pd.testing.assert_frame_equal(from_bytes(to_bytes(TABLE)), TABLE, check_exact=True)


def test_the_same_rows_have_the_same_digest_and_others_another():
    assert digest(to_bytes(TABLE)) == digest(to_bytes(TABLE.copy()))
    assert digest(to_bytes(TABLE)) != digest(to_bytes(TABLE.iloc[:2]))


@pytest.mark.parametrize("values", [[1, "a"], [object(), None]])
def test_a_column_that_no_file_can_carry_is_named_with_the_way_out(values: list[object]):
    frame = pd.DataFrame({"good": [1, 2], "odd": pd.Series(values, dtype=object)})
    with pytest.raises(DataError, match=r"column odd cannot be handed to the training \(.*cast it to text"):
        to_bytes(frame)
