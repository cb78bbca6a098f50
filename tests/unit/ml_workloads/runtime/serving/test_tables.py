"""A request's table equals that of training: same dtypes, same missing values, same predictions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from threadpoolctl import threadpool_limits

from ml_workloads.runtime.serving.columns import INPUTS, columns_of, describe, instances, request_model, table
from tests.unit.ml_workloads.runtime.serving.tables import NULLABLE, TYPES, column

ROWS = 40


class Server:
    """The server's view of a training table: a description that went through JSON."""

    def __init__(self, training: pd.DataFrame) -> None:
        self.columns = columns_of(None, json.loads(json.dumps({INPUTS: describe(training)})))
        self.request = request_model(self.columns)

    def table(self, rows: pd.DataFrame, *, leave_out: bool = False) -> pd.DataFrame:
        """Return the table that the server builds from rows that went through JSON."""
        sent = instances(rows, self.columns)
        if leave_out:
            sent = [{name: value for name, value in row.items() if value is not None} for row in sent]
        return self.of(sent)

    def of(self, sent: list[dict[str, Any]]) -> pd.DataFrame:
        body = json.dumps({"instances": sent}, allow_nan=False)
        return table(self.request.model_validate_json(body), self.columns)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Assert equal values, dtypes (with categories, units, zones and storage), and the same missing-value objects."""
    expected = expected.reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_freq=False)
    for name in expected.columns:
        dtype: Any = expected[name].dtype
        assert found[name].dtype == dtype
        assert getattr(found[name].dtype, "storage", None) == getattr(dtype, "storage", None)
        if isinstance(dtype, pd.CategoricalDtype):
            got: Any = found[name].dtype
            assert (got.categories.dtype, got.ordered) == (dtype.categories.dtype, dtype.ordered)
        missing = expected[name].isna()
        assert [type(value) for value in found[name][missing]] == [type(value) for value in expected[name][missing]]


def some(training: pd.DataFrame) -> list[pd.DataFrame]:
    """Return selections of rows: all at once, some one by one, and all that lack `x`."""
    picked: Any = [slice(None), *([row] for row in range(5)), training["x"].isna().to_numpy().nonzero()[0]]
    found: list[Any] = [training.iloc[rows] for rows in picked]
    return [rows for rows in found if len(rows)]


@pytest.mark.parametrize("name", TYPES)
def test_a_column_without_missing_values_is_that_of_training(name: str):
    training = pd.DataFrame({"x": column(name, ROWS)})
    server = Server(training)
    for rows in some(training):
        same(server.table(rows), rows)


@pytest.mark.parametrize("leave_out", [False, True], ids=["null", "left out"])
@pytest.mark.parametrize("name", NULLABLE)
def test_a_column_with_missing_values_is_that_of_training(name: str, leave_out: bool):
    training = pd.DataFrame({"x": column(name, ROWS, missing=0.3), "id": column("int64", ROWS)})
    assert 0 < int(training["x"].isna().to_numpy().sum()) < ROWS
    server = Server(training)
    for rows in some(training):
        same(server.table(rows, leave_out=leave_out), rows)


@pytest.mark.timeout(600)
def test_a_thousand_rows_of_all_types_are_predicted_as_in_training_row_by_row():
    training = pd.DataFrame(
        {
            **{name: column(name, 1000) for name in TYPES},
            **{f"{name} or nothing": column(name, 1000, missing=0.25) for name in NULLABLE},
        }
    )
    server, sent = Server(training), instances(training, Server(training).columns)
    # Threads that wait for each other are slow where other tests run.
    with threadpool_limits(1):
        compare(training, server, sent)


def compare(training: pd.DataFrame, server: Server, sent: list[dict[str, Any]]) -> None:
    model = sensitive(training)
    told = model.predict_proba(training)
    same(server.of(sent), training)
    random, start, tables = np.random.default_rng(11), 0, list[pd.DataFrame]()
    while start < 1000:
        # One row at a time, then some at a time.
        end = start + 1 if start < 50 else min(1000, start + int(random.integers(2, 100)))
        found = server.of(sent[start:end])
        assert list(found.dtypes) == list(training.dtypes)
        assert (model.predict_proba(found) == told[start:end]).all()
        tables.append(found)
        start = end
    same(pd.concat(tables, ignore_index=True), training)


def sensitive(training: pd.DataFrame) -> Any:
    """Return a model whose answers depend on missing values, through one-hot encoding, imputation and trees."""
    target = training[[f"{name} or nothing" for name in NULLABLE]].isna().sum(axis=1) % 2
    text = ["str or nothing", "object None or nothing", "object NaN or nothing", "category or nothing"]
    numbers = ["float32 or nothing", "float64 or nothing"]
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), text),
            (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["category int64", *text]),
            (SimpleImputer(add_indicator=True), numbers),
            ("passthrough", numbers),
        ),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
    )
    return model.fit(training, target)


def test_emptiness_that_decides_the_class_decides_it_when_it_is_served():
    random = np.random.default_rng(3)
    rows = 400
    colour = pd.Series(random.choice(["red", "blue"], rows), dtype="str").mask(random.random(rows) < 0.25)
    training = pd.DataFrame({"colour": colour, "size": random.normal(size=rows)})
    label = colour.isna().astype(int)
    for encoder in (OneHotEncoder(handle_unknown="ignore"), OneHotEncoder(handle_unknown="error")):
        model = make_pipeline(
            make_column_transformer((encoder, ["colour"]), remainder="passthrough"), LogisticRegression(C=100)
        ).fit(training, label)
        for leave_out in (False, True):
            rows_served = Server(training).table(training, leave_out=leave_out)
            assert (model.predict_proba(rows_served) == model.predict_proba(training)).all()
        empty: Any = training[training["colour"].isna()].head(1)
        assert model.predict(Server(training).table(empty)).tolist() == [1]


def test_an_imputer_of_text_imputes_what_a_request_leaves_out():
    kinds: list[tuple[str, Any]] = [("str", np.nan), ("object None", None), ("object NaN", np.nan)]
    for name, marker in kinds:
        training = pd.DataFrame({"x": column(name, ROWS, missing=0.3)})
        imputer: Any = SimpleImputer(strategy="constant", fill_value="nothing", missing_values=marker).fit(training)
        found = imputer.transform(Server(training).table(training, leave_out=True))
        assert (found == imputer.transform(training)).all()
        assert (found == "nothing").sum() == training["x"].isna().sum()


def test_a_time_in_another_zone_is_that_point_in_time_in_the_columns_zone():
    training = pd.DataFrame({"at": pd.Series(["2026-07-01T12:00"], dtype="datetime64[us, Europe/Berlin]")})
    columns = columns_of(None, {INPUTS: describe(training)})
    asked = request_model(columns)
    for text in ("2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00Z", "2026-07-01 06:00:00.000000-04:00"):
        same(table(asked.model_validate({"instances": [{"at": text}]}), columns), training)


def test_a_time_with_an_offset_is_kept_in_utc_where_the_column_has_no_zone():
    training = pd.DataFrame({"at": pd.Series(["2026-07-01T10:00"], dtype="datetime64[s]")})
    columns = columns_of(None, {INPUTS: describe(training)})
    for text in ("2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00", "2026-07-01T10:00"):
        same(table(request_model(columns).model_validate({"instances": [{"at": text}]}), columns), training)
