"""Code, data and settings of a small project, and fifty mistakes to plant into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CODE = """
import asyncio

import numpy as np
import pandas as pd
import pandera.pandas as pa
from sklearn.cluster import Birch
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import mistaken_parts as parts

AGE, TEXT = pa.Column(float, pa.Check.ge(0)), pa.Column(str)
customers = pa.DataFrameSchema({"age": AGE, "spent": pa.Column(float), "leaves": TEXT})
filtering = pa.DataFrameSchema({"age": AGE, "spent": pa.Column(float)}, strict="filter")
decimals = pa.DataFrameSchema({"spent": pa.Column("complex128", coerce=True)})
dictionary = {"age": AGE}
series = pa.SeriesSchema(float)

def schema():
    return customers

def train(inputs, target):
    return DecisionTreeClassifier(max_depth=2).fit(inputs, target)

def numeric(model):
    return make_pipeline(make_column_transformer(("passthrough", ["age"])), model)

def nothing(inputs, target):
    train(inputs, target)

def pair(inputs, target):
    return train(inputs, target), {"f1": 0.9}

def mapping(inputs, target):
    return {"model": train(inputs, target)}

def a_class(inputs, target):
    return DecisionTreeClassifier

def unfitted(inputs, target):
    return DecisionTreeClassifier()

def unfitted_pipeline(inputs, target):
    return make_pipeline(LogisticRegression())

def predictions(inputs, target):
    return train(inputs, target).predict(inputs)

def unrefitted(inputs, target):
    return GridSearchCV(LogisticRegression(), {"C": [1.0]}, refit=False).fit(inputs, target)

def one(inputs): ...
def three(inputs, target, settings): ...
def keyword(inputs, *, target): ...

async def later(inputs, target):
    return train(inputs, target)

def yields(inputs, target):
    yield train(inputs, target)

def coroutine(inputs, target):
    return later(inputs, target)

def reads_target(inputs, target):
    return train(inputs.drop(columns="leaves"), inputs["leaves"])

def reads_target_as_attribute(inputs, target):
    return train(inputs, inputs.leaves)

def reads_target_by_query(inputs, target):
    return train(inputs.query("leaves == 'yes'"), target)

def transforms_target(inputs, target):
    chosen = make_column_transformer(("passthrough", ["age", "leaves"]))
    return make_pipeline(chosen, LogisticRegression()).fit(inputs, target)

def adds_column(inputs, target):
    inputs["twice"] = inputs["age"] * 2
    return train(inputs, target)

def fills(inputs, target):
    inputs.loc[inputs["age"] > 5, "age"] = 5.0
    return train(inputs, target)

def regressor(inputs, target):
    return LinearRegression().fit(inputs, (target == "yes") * 1.0)

def encodes(inputs, target):
    return train(inputs, (target == "yes") * 1)

def classifier_of_text(inputs, target):
    return numeric(DecisionTreeClassifier()).fit(inputs, np.where(target > target.median(), "high", "low"))

def classifier_of_digits(inputs, target):
    return numeric(DecisionTreeClassifier()).fit(inputs, target.astype(int).astype(str))

def column(inputs, target):
    return numeric(LinearRegression()).fit(inputs, target.to_frame())

def decides(inputs, target):
    return parts.Answers(classes_=np.array(["no", "yes"]), answer="yes")

def has_nan(inputs, target):
    return parts.Answers(answer=float("nan"))

def single(inputs, target):
    return parts.Single(answer=1.0)

def a_lambda(inputs, target):
    return make_pipeline(FunctionTransformer(lambda table: table), LogisticRegression()).fit(inputs, target)

def own_function(inputs, target):
    return make_pipeline(FunctionTransformer(parts.halved), LogisticRegression()).fit(inputs, target)

def dangerous(inputs, target):
    model = train(inputs, target)
    model.helper = parts.evaluated()
    return model

def unsavable(inputs, target):
    return make_pipeline(Birch(n_clusters=2), LogisticRegression()).fit(inputs, target)

def registers(inputs, target):
    import mlflow
    mlflow.register_model("runs:/0/model", "churn")

def regression(inputs, target):
    return numeric(DecisionTreeRegressor(max_depth=4)).fit(inputs, target)
"""

PARTS = """
import numpy as np

def halved(table):
    return table / 2

def evaluated():
    return eval

class Answers:
    def __init__(self, answer, classes_=None):
        self.answer = answer
        if classes_ is not None:
            self.classes_ = classes_

    def predict(self, inputs):
        return np.array([self.answer] * len(inputs))

class Single(Answers):
    def predict(self, inputs):
        return np.array([self.answer])
"""
ROWS = "age,spent,leaves\n" + "\n".join(f"{n}.0,{n * 1.37:.2f},{'yes' if n > 20 else 'no'}" for n in range(40))


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One mistake: its difference from the working project, and the expected message."""

    said: str
    train: str = "train"
    contract: str = "customers"
    target: str = "leaves"
    metric: str = "f1"
    rows: str = ROWS
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    file: str = "customers.csv"

    @property
    def gate(self) -> dict[str, Any]:
        return {"metric": self.metric, "bound": 0.1}


def _rows(labels: list[str]) -> str:
    return "age,spent,leaves\n" + "\n".join(f"{n}.0,{n}.5,{label}" for n, label in enumerate(labels))


PLANTED = {
    "returns None": Planted(train="nothing", said="train returned None"),
    "returns a tuple": Planted(train="pair", said="returned a tuple of 2 (DecisionTreeClassifier, dict)"),
    "returns a dict": Planted(train="mapping", said="returned a dict of 1"),
    "returns a class": Planted(train="a_class", said="returned the class DecisionTreeClassifier"),
    "returns an unfitted model": Planted(train="unfitted", said="DecisionTreeClassifier that is not fitted"),
    "returns an unfitted pipeline": Planted(train="unfitted_pipeline", said="Pipeline that is not fitted"),
    "returns predictions": Planted(train="predictions", said="has no predict"),
    "a search without refit": Planted(train="unrefitted", said="only with refit"),
    "takes one argument": Planted(train="one", said="one(inputs) cannot be called with two arguments"),
    "takes three arguments": Planted(train="three", said="three(inputs, target, settings) cannot be called"),
    "takes the target by name only": Planted(train="keyword", said="keyword(inputs, *, target) cannot be called"),
    "is async": Planted(train="later", said="later is an async function"),
    "has a yield": Planted(train="yields", said="yields is a generator"),
    "returns a coroutine": Planted(train="coroutine", said="returned a coroutine that was not awaited"),
    "is a class": Planted(train="DecisionTreeClassifier", said="DecisionTreeClassifier is a class"),
    "is no function": Planted(train="dictionary", said="is a dict, which cannot be called"),
    "is not there": Planted(train="trian", said="has no trian, but train"),
    "reads the target": Planted(train="reads_target", said="reads the target 'leaves' from its inputs"),
    "reads the target as attribute": Planted(train="reads_target_as_attribute", said="reads the target 'leaves'"),
    "reads the target in a query": Planted(train="reads_target_by_query", said="reads the target 'leaves'"),
    "reads the target in a pipeline": Planted(train="transforms_target", said="reads the target 'leaves'"),
    "adds a column": Planted(train="adds_column", said="(new column twice)"),
    "changes values": Planted(train="fills", said="(other values in age)"),
    "a regressor under f1": Planted(train="regressor", said="gate.metric f1 needs one of the target's 2 classes"),
    "encodes the classes": Planted(train="encodes", said="which the target does not have"),
    "a classifier under mae": Planted(
        train="classifier_of_text", target="spent", metric="mae", said="but gate.metric mae needs numbers"
    ),
    "a classifier of digits under rmse": Planted(
        train="classifier_of_digits", target="spent", metric="rmse", said="but gate.metric rmse needs numbers"
    ),
    "predicts a table": Planted(train="column", target="spent", metric="r2", said="with one dimension"),
    "roc_auc without shares": Planted(train="decides", metric="roc_auc", said="roc_auc needs predict_proba"),
    "predicts NaN": Planted(
        train="has_nan", target="spent", metric="rmse", said="predict returned NaN or None for 32 of"
    ),
    "predicts once": Planted(train="single", target="spent", metric="rmse", said="shape (1,) for 32 rows"),
    "holds a lambda": Planted(train="a_lambda", said="a lambda or a local function"),
    "holds a function of its own": Planted(train="own_function", said='trusted_types: ["mistaken_parts.halved"]'),
    "holds eval": Planted(train="dangerous", said="builtins.eval, which no project may trust"),
    "trusts eval": Planted(
        settings={"trusted_types": ("builtins.eval",)}, said="training.trusted_types: builtins.eval: remove"
    ),
    "cannot be saved": Planted(train="unsavable", said="Objects of type Birch are not supported"),
    "registers by itself": Planted(train="registers", said="registers a model with mlflow.register_model"),
    "rmse of text": Planted(metric="rmse", said="holds values of type text and no numbers"),
    "f1 of numbers": Planted(target="spent", said="has 40 different numbers"),
    "a contract that is a function": Planted(contract="schema", said="data.contract names a function"),
    "a contract that is a dict": Planted(contract="dictionary", said="data.contract names a dict"),
    "a contract of a series": Planted(contract="series", said="data.contract names a SeriesSchema"),
    "a contract that is a class": Planted(contract="LogisticRegression", said="names the class LogisticRegression"),
    "a contract that drops the target": Planted(contract="filtering", said="the data has no column 'leaves'"),
    "inputs that JSON cannot carry": Planted(contract="decimals", said="column spent is complex128"),
    "a target that is not there": Planted(target="left", said="the data has no column 'left'"),
    "no file": Planted(file="gone.csv", said="gone.csv"),
    "one class": Planted(rows=_rows(["no"] * 30), said="all rows have the same leaves, 'no'"),
    "a class of one row": Planted(rows=_rows(["no", "yes"] * 15 + ["maybe"]), said="'maybe' is in one row only"),
    "many classes of one row": Planted(rows=_rows([f"c{n}" for n in range(30)]), said="and 25 more is in one row"),
    "twelve rows of six classes": Planted(rows=_rows(list("aabbccddeeff")), said="9 rows to train and 3 to measure"),
    "too few of the rare class": Planted(
        rows=_rows(["no"] * 100 + ["yes"] * 2), said="held-out rows have the same leaves, 'no'"
    ),
    "few rows": Planted(rows=_rows(["no", "yes"] * 4), said="8 rows are too few"),
    "a value against the contract": Planted(rows=ROWS + "\n-1.0,3.5,no", said="row 40 (-1.0)"),
}
