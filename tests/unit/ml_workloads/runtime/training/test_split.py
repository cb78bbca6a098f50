"""The holdout split: reproducible, stratified by class, with clear errors when it is impossible."""

from typing import Any

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from ml_workloads.runtime.training.split import SplitError, split

FRAME = pd.DataFrame({"x": range(100), "leaves": ["no"] * 80 + ["yes"] * 20})


def test_the_same_rows_are_held_out_each_time_with_each_class_in_its_share():
    training, held_out = split(FRAME, "leaves", 0.2, classes=True)
    assert (len(training.inputs), len(held_out.inputs)) == (80, 20)
    assert list(held_out.target).count("yes") == 4
    assert list(training.inputs.columns) == ["x"]
    assert set(training.inputs["x"]) | set(held_out.inputs["x"]) == set(range(100))
    again = split(FRAME, "leaves", 0.2, classes=True)[1]
    assert again.inputs["x"].tolist() == held_out.inputs["x"].tolist()


def test_numbers_are_held_out_without_classes():
    _, held_out = split(FRAME.assign(leaves=range(100)), "leaves", 0.25, classes=False)
    assert len(held_out.inputs) == 25


@pytest.mark.parametrize(
    ("values", "dtype", "learnt"),
    [
        ([True, False], "boolean", [False, True]),
        ([True, False], "bool[pyarrow]", [False, True]),
        # Beyond 2^53 a float does not hold every whole number.
        ([7, 2**60 + 1], "Int64", [7, 2**60 + 1]),
        ([7, 2**60 + 1], "int64[pyarrow]", [7, 2**60 + 1]),
        ([0.5, 1.5], "Float64", [0.5, 1.5]),
        (["no", "yes"], "string", ["no", "yes"]),
        ([1, 2], "category", [1, 2]),
    ],
)
def test_a_model_answers_what_the_target_holds_whatever_its_type(values: list[Any], dtype: str, learnt: list[Any]):
    frame = pd.DataFrame({"x": range(40), "leaves": pd.Series(values * 20, dtype=dtype)})  # pyright: ignore[reportArgumentType, reportCallIssue]
    training, held_out = split(frame, "leaves", 0.2, classes=True)
    model: Any = DummyClassifier().fit(training.inputs, training.target)
    classes = model.classes_.tolist()
    assert classes == learnt
    assert [type(each) for each in classes] == [type(each) for each in learnt]
    assert set(held_out.target) == set(learnt)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            FRAME.rename(columns={"leaves": "left"}),
            r"no column 'leaves', which data.target names; it has",
        ),
        (FRAME.assign(leaves=[None] * 3 + ["no"] * 97), "3 of 100 rows have no leaves"),
        (FRAME.head(9), "9 rows are too few to train and measure on, 10 are the least"),
        (FRAME.head(50), "all rows have the same leaves, 'no'"),
        (FRAME.head(81), "leaves 'yes' is in one row only"),
        (FRAME.assign(leaves=[f"c{n}" for n in range(100)]), "'c0', 'c1', 'c2', 'c3', 'c4' and 95 more is in one row"),
        (
            pd.DataFrame({"x": range(12), "leaves": list("aabbccddeeff")}),
            "12 rows of 6 classes of leaves are too few: training.holdout 0.2 leaves 9 rows to train and 3 to measure",
        ),
        (FRAME.assign(leaves=["no"] * 98 + ["yes"] * 2), "all 20 held-out rows have the same leaves, 'no'"),
        (FRAME[["leaves"]], "no column beside the target 'leaves'"),
        (FRAME.rename(columns={"x": "leaves"}), "has 2 columns 'leaves'"),
    ],
)
def test_data_that_cannot_be_divided_is_refused_with_numbers(frame: pd.DataFrame, said: str):
    with pytest.raises(SplitError, match=said):
        split(frame, "leaves", 0.2, classes=True)
