"""Whole runs against MLflow's own file store: records, alias moves, and the results of failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from ml_workloads.runtime import records
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.conductor.tracking import MlflowTracking, TrackingError
from ml_workloads.runtime.contract import ContractError
from ml_workloads.runtime.data import LocalFile
from ml_workloads.runtime.errors import CodeError
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.handover import keys, tables
from ml_workloads.runtime.retries import is_passing
from ml_workloads.runtime.serving.mlflow_registry import MlflowRegistry
from tests.unit.ml_workloads.runtime.conductor.in_process import InProcess

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
def customers(tmp_path: Path) -> LocalFile:
    ages = np.arange(200) % 80
    path = tmp_path / "customers.csv"
    pd.DataFrame({"age": ages * 1.0, "leaves": np.where(ages > 40, "yes", "no")}).to_csv(path, index=False)
    return LocalFile(path=path)


PLAN = Plan(
    project="churn",
    job="churn-1",
    revision="4f2a",
    target="leaves",
    holdout=0.2,
    gate=Gate(metric="f1", bound=0.9),
    alias="dev",
)


@pytest.fixture
def whole() -> InProcess:
    return InProcess(PLAN, CUSTOMERS, tree)


def versions(client: MlflowClient) -> list[str]:
    return sorted(str(found.version) for found in client.search_model_versions("name='churn'"))


def aliased(client: MlflowClient) -> str:
    return str(client.get_model_version_by_alias("churn", "dev").version)


def runs(client: MlflowClient) -> list[Any]:
    experiment = client.get_experiment_by_name("churn")
    return [] if experiment is None else list(client.search_runs([experiment.experiment_id]))


def test_a_model_that_passes_is_recorded_and_gets_the_alias(
    store: MlflowClient, whole: InProcess, customers: LocalFile
):
    outcome = whole.run(customers)
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


def test_the_training_is_given_no_held_out_row_and_nothing_of_the_run_is_left(
    store: MlflowClient, whole: InProcess, customers: LocalFile
):
    whole.run(customers)
    (rows,) = whole.trained
    assert len(rows) == 160
    handed_over = tables.from_bytes(whole.objects.ever[keys.training_part("churn", "churn-1-fit")])
    assert set(handed_over.index) == set(rows.index)
    assert list(whole.objects.held) == [keys.split_key("churn")]


def test_the_same_rows_are_held_out_in_each_run_of_a_project_and_others_in_another_one(
    store: MlflowClient, customers: LocalFile
):
    first = InProcess(PLAN, CUSTOMERS, tree, seed=None)
    first.run(customers)
    second = InProcess(replace(PLAN, job="churn-2"), CUSTOMERS, tree, first.objects, seed=None)
    second.run(customers)
    other = InProcess(replace(PLAN, job="churn-3"), CUSTOMERS, tree, seed=None)
    other.run(customers)
    assert list(first.trained[0].index) == list(second.trained[0].index)
    assert set(first.trained[0].index) != set(other.trained[0].index)


def test_a_value_that_is_missing_in_a_held_out_row_only_may_come_in_a_request(
    store: MlflowClient, whole: InProcess, customers: LocalFile
):
    whole.run(customers)
    held_out = sorted(set(range(200)) - set(whole.trained[0].index))
    rows = pd.read_csv(customers.path)
    rows.loc[held_out[0], "age"] = None
    rows.to_csv(customers.path, index=False)
    nullable = CUSTOMERS.update_columns({"age": {"nullable": True}})
    again = InProcess(replace(PLAN, job="churn-2"), nullable, tree, whole.objects)
    outcome = again.run(customers)
    assert not any(again.trained[0]["age"].isna())
    (age,) = MlflowRegistry("churn", "dev").load(outcome.logged.version).columns
    assert age.nullable


def test_a_worse_model_is_recorded_and_refused_with_numbers(
    store: MlflowClient, whole: InProcess, customers: LocalFile
):
    first = whole.run(customers)
    plan = replace(PLAN, job="churn-2", gate=replace(PLAN.gate, bound=0.1))
    worse = InProcess(plan, CUSTOMERS, guesses, whole.objects).run(customers)
    assert not worse.verdict.passed
    assert "worse than 1 of the model that is there; 0 is allowed" in worse.verdict.reasons[0]
    assert aliased(store) == first.logged.version
    assert "worse than 1" in store.get_model_version("churn", worse.logged.version).tags[records.GATE]


def test_data_that_breaks_its_contract_registers_nothing(store: MlflowClient, whole: InProcess, customers: LocalFile):
    customers.path.write_text("age,leaves\n" + "1.0,no\n" * 20 + "-1.0,maybe\n")
    with pytest.raises(ContractError, match=r"row 20 \(-1.0\)"):
        whole.run(customers)
    assert versions(store) == []
    (recorded,) = runs(store)
    assert recorded.info.status == "FAILED"
    assert "column leaves" in recorded.data.tags["failure"]
    assert "data_contract" not in recorded.data.tags
    assert whole.trained == []


def test_a_contract_that_changes_inputs_registers_nothing(store: MlflowClient, customers: LocalFile):
    changing = pa.DataFrameSchema({**CUSTOMERS.columns, "age": pa.Column(float, parsers=pa.Parser(lambda s: s * 2))})
    with pytest.raises(ContractError, match="the contract changes column age in "):
        InProcess(PLAN, changing, tree).run(customers)
    assert versions(store) == []


def ages_only(inputs: pd.DataFrame, target: Any) -> Any:
    chosen = make_column_transformer(("passthrough", ["age"]))
    return make_pipeline(chosen, DecisionTreeClassifier(max_depth=2, random_state=0)).fit(inputs, target)


def test_a_column_that_is_missing_in_most_rows_does_not_hang_on_the_sample(store: MlflowClient, tmp_path: Path):
    rows = pd.DataFrame({"age": np.arange(3000) % 80 * 1.0, "flag": pd.Series([None] * 3000, dtype=object)})
    rows.loc[range(0, 3000, 100), "flag"] = True
    rows["leaves"] = np.where(rows["age"] > 40, "yes", "no")
    rows.to_parquet(tmp_path / "customers.parquet")
    contract = pa.DataFrameSchema({**CUSTOMERS.columns, "flag": pa.Column(object, nullable=True)})
    outcome = InProcess(PLAN, contract, ages_only).run(LocalFile(path=tmp_path / "customers.parquet"))
    assert versions(store) == [outcome.logged.version]


def test_a_training_that_crashes_registers_nothing_and_says_why(store: MlflowClient, customers: LocalFile):
    with pytest.raises(CodeError, match="MemoryError: the kernel matrix needs 3 TiB"):
        InProcess(PLAN, CUSTOMERS, crashes).run(customers)
    assert versions(store) == []
    (recorded,) = runs(store)
    assert recorded.info.status == "FAILED"
    assert "MemoryError: the kernel matrix needs 3 TiB" in recorded.data.tags["failure"]


def test_a_run_that_was_killed_is_ended_by_the_next_attempt_and_those_of_others_go_on(
    store: MlflowClient, whole: InProcess, customers: LocalFile
):
    tracking = MlflowTracking("churn")
    killed, other = (tracking.begin({"job": job}, {}) for job in ("churn-1", "churn-9"))
    whole.run(customers, tracking)
    assert store.get_run(killed).info.status == "KILLED"
    assert store.get_run(other).info.status == "RUNNING"


class Rounded(TransformerMixin, BaseEstimator):
    """A transformer defined by the project."""

    def fit(self, inputs: Any, target: Any = None) -> Rounded:
        self.fitted_ = True
        return self

    def transform(self, inputs: Any) -> Any:
        return inputs.round()


def with_own_step(inputs: pd.DataFrame, target: Any) -> Any:
    return make_pipeline(Rounded(), DecisionTreeClassifier(max_depth=2, random_state=0)).fit(inputs, target)


OWN = f"{__name__}.Rounded"


def test_a_model_with_the_projects_own_types_is_asked_in_a_worker_and_served(store: MlflowClient, customers: LocalFile):
    whole = InProcess(replace(PLAN, trusted_types=(OWN,)), CUSTOMERS, with_own_step)
    outcome = whole.run(customers)
    assert outcome.verdict.passed
    assert whole.workers == ["check", "judge"]
    served = MlflowRegistry("churn", "dev", [OWN]).load(outcome.logged.version)
    assert served.predict(pd.DataFrame({"age": [10.4, 70.4]})) == ["no", "yes"]
    plain = InProcess(replace(PLAN, job="churn-2"), CUSTOMERS, tree, whole.objects)
    plain.run(customers)
    assert plain.workers == ["check"]


def logs(inputs: pd.DataFrame, target: Any) -> Any:
    mlflow.log_param("depth", 2)
    mlflow.log_metric("f1", 0.123)
    mlflow.set_tag("gate", "passed")
    mlflow.set_tag("data_contract", "passed")
    mlflow.log_text("a note", "notes/first.txt")
    with mlflow.start_run(run_name="fold"):
        for step in range(3):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    return tree(inputs, target)


def test_what_the_projects_code_logs_is_copied_beside_the_platforms_records(
    store: MlflowClient, customers: LocalFile, tmp_path: Path
):
    outcome = InProcess(PLAN, CUSTOMERS, logs).run(customers)
    run = store.get_run(outcome.logged.run_id)
    assert run.data.params["project.depth"] == "2"
    assert (run.data.metrics["project.f1"], run.data.metrics["f1"]) == (0.123, 1.0)
    assert run.data.tags["project.gate"] == "passed"
    (child,) = [each for each in runs(store) if each.info.run_id != run.info.run_id]
    assert child.data.tags["mlflow.parentRunId"] == run.info.run_id
    assert [each.value for each in store.get_metric_history(child.info.run_id, "project.loss")] == [1.0, 0.5, 1.0 / 3]
    note = store.download_artifacts(run.info.run_id, "project/notes/first.txt", str(tmp_path))
    assert Path(note).read_text() == "a note"


class Down:
    """MLflow client of a server that is down for the given number of calls."""

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
def test_a_server_that_comes_back_is_waited_for(
    whole: InProcess, customers: LocalFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", Down(1)(MlflowClient.set_registered_model_alias))
    assert whole.run(customers).verdict.passed


@pytest.mark.usefixtures("store")
def test_a_server_that_stays_away_is_named_after_a_while(
    whole: InProcess, customers: LocalFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(MlflowClient, "create_run", Down(10**6)(MlflowClient.create_run))
    with pytest.raises(TrackingError, match="could not begin a run within 1 s, MLflow does not answer"):
        whole.run(customers, MlflowTracking("churn", patience=1.0))


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
