"""Whole runs against MLflow's own store of files: what is recorded, what gets the alias, and what failures leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from ml_workloads.runtime import records
from ml_workloads.runtime.contract import ContractError
from ml_workloads.runtime.data import LocalFile
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.serving.mlflow_registry import MlflowRegistry
from ml_workloads.runtime.training.run import Plan, run
from ml_workloads.runtime.training.split import split
from ml_workloads.runtime.training.tracking import MlflowTracking, TrackingError, is_passing

CUSTOMERS = pa.DataFrameSchema(
    {"age": pa.Column(float, pa.Check.ge(0)), "leaves": pa.Column(str, pa.Check.isin(["yes", "no"]))}
)


def tree(inputs: pd.DataFrame, target: Any) -> Any:
    return DecisionTreeClassifier(max_depth=2, random_state=0).fit(inputs, target)


def guesses(inputs: pd.DataFrame, target: Any) -> Any:
    return DummyClassifier(strategy="stratified", random_state=0).fit(inputs, target)


def crashes(inputs: pd.DataFrame, target: Any) -> Any:
    raise MemoryError("the kernel matrix needs 3 TiB")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.chdir(tmp_path)
    return MlflowClient()


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    ages = np.arange(200) % 80
    path = tmp_path / "customers.csv"
    pd.DataFrame({"age": ages * 1.0, "leaves": np.where(ages > 40, "yes", "no")}).to_csv(path, index=False)
    return Plan(
        job="churn-1",
        revision="4f2a",
        source=LocalFile(path=path),
        contract=CUSTOMERS,
        target="leaves",
        holdout=0.2,
        train=tree,
        gate=Gate(metric="f1", bound=0.9),
        alias="dev",
    )


def versions(client: MlflowClient) -> list[str]:
    return sorted(str(found.version) for found in client.search_model_versions("name='churn'"))


def aliased(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias("churn", "dev").version)


def runs(client: MlflowClient) -> list[Any]:
    experiment = client.get_experiment_by_name("churn")
    return [] if experiment is None else list(client.search_runs([experiment.experiment_id]))


def test_a_model_that_passes_is_recorded_and_gets_the_alias(store: MlflowClient, plan: Plan):
    outcome = run(plan, MlflowTracking("churn"))
    assert outcome.verdict.passed
    assert aliased(store) == outcome.logged.version
    assert store.get_model_version("churn", outcome.logged.version).tags[records.GATE] == "passed"
    (recorded,) = runs(store)
    assert recorded.info.status == "FINISHED"
    assert recorded.data.tags["code_revision"] == "4f2a"
    assert len(recorded.data.tags["data_digest"]) == 64
    assert recorded.data.tags["data_contract"] == "passed"
    assert {"accuracy", "precision", "recall", "f1", "roc_auc", "f1_gap"} <= set(recorded.data.metrics)
    assert recorded.data.params["target"] == "leaves"
    served = MlflowRegistry("churn", "dev").load(outcome.logged.version)
    assert [column.name for column in served.columns] == ["age"]
    assert served.predict(pd.DataFrame({"age": [10.0, 70.0]})) == ["no", "yes"]


def test_a_value_that_is_missing_in_a_held_out_row_only_may_come_in_a_request(store: MlflowClient, plan: Plan):
    rows = pd.DataFrame({"age": np.arange(200) % 80 * 1.0})
    rows["leaves"] = np.where(rows["age"] > 40, "yes", "no")
    _, held_out = split(rows, "leaves", plan.holdout, classes=True)
    rows.loc[held_out.inputs.index[0], "age"] = None
    assert isinstance(plan.source, LocalFile)
    rows.to_csv(plan.source.path, index=False)
    nullable = CUSTOMERS.update_columns({"age": {"nullable": True}})
    outcome = run(replace(plan, contract=nullable), MlflowTracking("churn"))
    (age,) = MlflowRegistry("churn", "dev").load(outcome.logged.version).columns
    assert age.nullable


def test_a_worse_model_is_recorded_and_refused_with_numbers(store: MlflowClient, plan: Plan):
    first = run(plan, MlflowTracking("churn"))
    worse = run(
        replace(plan, job="churn-2", train=guesses, gate=replace(plan.gate, bound=0.1)), MlflowTracking("churn")
    )
    assert not worse.verdict.passed
    assert "worse than 1 of the model that is there; 0 is allowed" in worse.verdict.reasons[0]
    assert aliased(store) == first.logged.version
    assert "worse than 1" in store.get_model_version("churn", worse.logged.version).tags[records.GATE]


def test_data_that_breaks_its_contract_registers_nothing(store: MlflowClient, plan: Plan):
    assert isinstance(plan.source, LocalFile)
    plan.source.path.write_text("age,leaves\n" + "1.0,no\n" * 20 + "-1.0,maybe\n")
    with pytest.raises(ContractError, match=r"row 20 \(-1.0\)"):
        run(plan, MlflowTracking("churn"))
    assert versions(store) == []
    (recorded,) = runs(store)
    assert recorded.info.status == "FAILED"
    assert "column leaves" in recorded.data.tags["failure"]
    assert "data_contract" not in recorded.data.tags


def test_a_contract_that_changes_inputs_registers_nothing(store: MlflowClient, plan: Plan):
    changing = pa.DataFrameSchema({**CUSTOMERS.columns, "age": pa.Column(float, parsers=pa.Parser(lambda s: s * 2))})
    with pytest.raises(ContractError, match="the contract changes column age in "):
        run(replace(plan, contract=changing), MlflowTracking("churn"))
    assert versions(store) == []


def ages_only(inputs: pd.DataFrame, target: Any) -> Any:
    chosen = make_column_transformer(("passthrough", ["age"]))
    return make_pipeline(chosen, DecisionTreeClassifier(max_depth=2, random_state=0)).fit(inputs, target)


def test_a_column_that_is_missing_in_most_rows_does_not_hang_on_the_sample(
    store: MlflowClient, plan: Plan, tmp_path: Path
):
    rows = pd.DataFrame({"age": np.arange(3000) % 80 * 1.0, "flag": pd.Series([None] * 3000, dtype=object)})
    rows.loc[[0, 1500, 2999], "flag"] = True
    rows["leaves"] = np.where(rows["age"] > 40, "yes", "no")
    rows.to_parquet(tmp_path / "customers.parquet")
    contract = pa.DataFrameSchema({**CUSTOMERS.columns, "flag": pa.Column(object, nullable=True)})
    source = LocalFile(path=tmp_path / "customers.parquet")
    outcome = run(replace(plan, contract=contract, source=source, train=ages_only), MlflowTracking("churn"))
    assert versions(store) == [outcome.logged.version]


def test_a_training_that_crashes_registers_nothing_and_says_why(store: MlflowClient, plan: Plan):
    with pytest.raises(MemoryError):  # and the trial on a few rows does not hide it
        run(replace(plan, train=crashes), MlflowTracking("churn"))
    assert versions(store) == []
    (recorded,) = runs(store)
    assert (recorded.info.status, recorded.data.tags["failure"]) == (
        "FAILED",
        "MemoryError: the kernel matrix needs 3 TiB",
    )


def test_a_run_that_was_killed_is_ended_by_the_next_attempt_and_those_of_others_go_on(store: MlflowClient, plan: Plan):
    tracking = MlflowTracking("churn")
    killed, other = (tracking.begin({"job": job}, {}) for job in ("churn-1", "churn-9"))
    run(plan, tracking)
    assert store.get_run(killed).info.status == "KILLED"
    assert store.get_run(other).info.status == "RUNNING"


class Down:
    """MLflow's client while the server is down, for so many calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if self.left:
                self.left -= 1
                raise MlflowException("API request to /api/2.0/mlflow/experiments/get-by-name failed with exception")
            return original(*arguments, **named)

        return call


@pytest.mark.usefixtures("store")
def test_a_server_that_comes_back_is_waited_for(plan: Plan, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MlflowClient, "create_run", Down(1)(MlflowClient.create_run))
    assert run(plan, MlflowTracking("churn")).verdict.passed


@pytest.mark.usefixtures("store")
def test_a_server_that_stays_away_is_named_after_a_while(plan: Plan, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MlflowClient, "create_run", Down(10**6)(MlflowClient.create_run))
    with pytest.raises(TrackingError, match="could not begin a run within 1 s, MLflow does not answer"):
        run(plan, MlflowTracking("churn", patience=1.0))


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (ConnectionRefusedError("refused"), True),
        (MlflowException("API request to http://mlflow failed with exception timed out"), True),
        (RestException({"error_code": "INTERNAL_ERROR", "message": "database"}), True),
        (RestException({"error_code": "PERMISSION_DENIED", "message": "no"}), False),
        (MlflowException('Model does not have the "python_function" flavor'), False),
        (ValueError("NaN"), False),
    ],
)
def test_only_what_may_work_later_is_tried_again(error: Exception, passing: bool):
    assert is_passing(error) is passing
