"""Check that a fitted model can be saved, loaded and queried by JSON; problems are reported with a fix."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from ml_workloads.runtime.serving.columns import describe
from ml_workloads.runtime.training.servable import problems

INPUTS = pd.DataFrame({"age": np.arange(40) * 1.0, "spent": np.arange(40) * 2.5})
CLASSES = np.where(INPUTS["age"] > 20, "yes", "no")
HERE = __name__


def halved(table: Any) -> Any:
    return table / 2


class Model(BaseEstimator):
    """A model class of a project, with one peculiarity."""

    def __init__(self, kind: str = "") -> None:
        self.kind = kind

    def fit(self, _inputs: Any, _target: Any) -> Model:
        self.seen_ = 0
        return self

    def predict(self, inputs: pd.DataFrame) -> Any:
        self.seen_ += 1
        if self.kind == "counts":
            return np.full(len(inputs), float(self.seen_))
        if self.kind == "nan":
            return np.full(len(inputs), np.nan)
        if self.kind == "objects":
            return np.array([Decimal(1)] * len(inputs), dtype=object)
        if self.kind == "index" and inputs.index[0] != 5:
            raise RuntimeError("where are my rows")
        return np.ones(len(inputs))

    def __getstate__(self) -> dict[str, Any]:
        if self.kind == "locked":
            raise TypeError("cannot pickle '_thread.lock' object")
        return {"kind": self.kind, "seen_": 7 if self.kind == "counts" else 0}


def own(kind: str) -> Any:
    return Model(kind).fit(INPUTS, CLASSES)


def test_a_model_of_scikit_learn_can_be_served():
    colours = INPUTS.assign(colour=pd.Series(["red", None] * 20, dtype="str"))
    encoded = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(colours, CLASSES)
    assert problems(DecisionTreeClassifier().fit(INPUTS, CLASSES), INPUTS, ()) == ()
    assert problems(encoded, colours, ()) == ()


def test_a_type_of_the_project_is_named_with_the_setting_that_allows_it():
    model = make_pipeline(FunctionTransformer(halved), LogisticRegression()).fit(INPUTS, CLASSES)
    (told,) = problems(model, INPUTS, ())
    assert f'training.trusted_types: ["{HERE}.halved"]' in told
    assert problems(model, INPUTS, [f"{HERE}.halved"]) == ()


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("counts", "answers otherwise after it was saved and loaded"),
        ("nan", "cannot be written as JSON"),
        ("objects", "cannot be written as JSON"),
        ("index", "cannot predict rows that came in a JSON request (RuntimeError: where are my rows)"),
        ("locked", "cannot be saved by skops and loaded again (TypeError: cannot pickle '_thread.lock' object)"),
    ],
)
def test_a_model_that_saving_or_a_request_changes_is_told(kind: str, said: str):
    inputs = INPUTS.iloc[5:]
    assert said in "; ".join(problems(own(kind), inputs, [f"{HERE}.Model"]))


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pd.Series([Decimal("1.10")] * 40), "column odd is object of Decimal, .*coerce=True"),
        (pd.Series(np.arange(40), dtype="uint64"), r"column odd is uint64, .*Int64|int64"),
        (pd.Series([[1, 2]] * 40), "column odd is object of list"),
        (pd.Series(pd.to_timedelta(np.arange(40), unit="s")), "column odd is timedelta64.*seconds"),
        (pd.Series([1, "a"] * 20, dtype=object), "column odd is object of int, str"),
        (pd.Series([1 + 2j] * 40), "column odd is complex128"),
    ],
)
def test_a_column_that_no_request_carries_is_told_with_what_the_contract_needs(column: Any, said: str):
    import re

    model = DecisionTreeClassifier().fit(INPUTS, CLASSES)
    (told,) = problems(model, INPUTS.assign(odd=column), ())
    assert re.search(said, told)


def test_a_column_that_is_missing_in_the_sample_has_the_type_of_the_whole_table():
    whole = INPUTS.assign(flag=pd.Series([None] * 39 + [True], dtype=object))
    part = whole.head(20)
    model = Model("").fit(part, CLASSES[:20])
    assert "missing values only" in problems(model, part, [f"{HERE}.Model"])[0]
    assert problems(model, part, [f"{HERE}.Model"], describe(whole)) == ()
