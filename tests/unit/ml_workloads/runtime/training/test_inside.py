"""A project's `mlflow` calls during training belong to its run, beside the platform's own records."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn as mlflow_sklearn
import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from mlflow import MlflowClient
from mlflow.utils import autologging_utils
from sklearn.tree import DecisionTreeClassifier

from ml_workloads.runtime.conductor.conduct import Outcome
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.data import LocalFile
from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.training.inside import guarded
from tests.unit.ml_workloads.runtime.conductor.in_process import InProcess

CUSTOMERS = pa.DataFrameSchema({"age": pa.Column(float), "leaves": pa.Column(str)})


def tree(inputs: pd.DataFrame, target: Any) -> Any:
    return DecisionTreeClassifier(max_depth=2, random_state=0).fit(inputs, target)


def poor(inputs: pd.DataFrame, target: Any) -> Any:
    return DecisionTreeClassifier(max_depth=1).fit(inputs * 0, target)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.chdir(tmp_path)
    return MlflowClient()


@pytest.fixture
def train(tmp_path: Path, client: MlflowClient) -> Callable[..., Outcome]:
    ages = np.arange(200) % 80
    path = tmp_path / "customers.csv"
    pd.DataFrame({"age": ages * 1.0, "leaves": np.where(ages > 40, "yes", "no")}).to_csv(path, index=False)
    gate = Gate(metric="f1", bound=0.9)
    plan = Plan(project="churn", job="churn-1", revision="4f2a", target="leaves", holdout=0.2, gate=gate, alias="dev")
    # The accounts of the platform have an experiment before any run.
    client.create_experiment("churn")

    def call(function: Callable[..., Any]) -> Outcome:
        return InProcess(plan, CUSTOMERS, function).run(LocalFile(path=path))

    return call


def runs(client: MlflowClient) -> dict[str, Any]:
    """Return all runs of all experiments, by id."""
    return {
        found.info.run_id: found for found in client.search_runs([e.experiment_id for e in client.search_experiments()])
    }


def only_run(client: MlflowClient) -> Any:
    (found,) = runs(client).values()
    return found


def test_metrics_parameters_tags_and_files_belong_to_the_run(client: MlflowClient, train: Any, tmp_path: Path):
    def logs(inputs: pd.DataFrame, target: Any) -> Any:
        mlflow.log_metric("loss", 0.5, step=3)
        mlflow.log_param("depth", 2)
        mlflow.set_tag("kind", "tree")
        mlflow.log_dict({"a": 1}, "settings.json")
        note = tmp_path / "note.txt"
        note.write_text("by hand")
        mlflow.log_artifact(str(note))
        worker = threading.Thread(target=lambda: mlflow.log_metric("in_a_thread", 1.0))
        worker.start()
        worker.join()
        return tree(inputs, target)

    outcome = train(logs)
    found = only_run(client)
    assert found.info.run_id == outcome.logged.run_id
    assert found.info.status == "FINISHED"
    assert (
        found.data.metrics["project.loss"],
        found.data.metrics["project.in_a_thread"],
        found.data.metrics["f1"],
    ) == (0.5, 1.0, 1.0)
    assert found.data.params["project.depth"] == "2"
    assert found.data.tags["project.kind"] == "tree"
    names = {each.path for each in client.list_artifacts(found.info.run_id, "project")}
    assert {"project/settings.json", "project/note.txt"} <= names


@pytest.mark.parametrize("named", [{"nested": True}, {}, {"run_name": "fold"}])
def test_a_run_that_the_project_starts_is_a_child(client: MlflowClient, train: Any, named: dict[str, Any]):
    def starts(inputs: pd.DataFrame, target: Any) -> Any:
        with mlflow.start_run(**named):
            mlflow.log_metric("fold", 1.0)
        mlflow.log_metric("after", 2.0)
        return tree(inputs, target)

    outcome = train(starts)
    found = runs(client)
    parent = found.pop(outcome.logged.run_id)
    (child,) = found.values()
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.info.experiment_id == parent.info.experiment_id
    assert (child.data.metrics, child.info.status) == ({"project.fold": 1.0}, "FINISHED")
    assert parent.data.metrics["project.after"] == 2.0


def test_runs_that_are_left_open_or_ended_too_often_do_not_end_the_platforms(client: MlflowClient, train: Any):
    def careless(inputs: pd.DataFrame, target: Any) -> Any:
        mlflow.end_run()
        mlflow.start_run()
        mlflow.end_run()
        mlflow.end_run()
        with mlflow.active_run() or mlflow.start_run():
            mlflow.log_metric("still", 1.0)
        mlflow.start_run(run_name="left open")
        return tree(inputs, target)

    outcome = train(careless)
    found = runs(client)
    assert found[outcome.logged.run_id].data.metrics["project.still"] == 1.0
    assert {each.info.status for each in found.values()} == {"FINISHED"}
    assert len(found) == 3
    assert mlflow.active_run() is None


def test_calls_that_lead_elsewhere_are_passed_over(client: MlflowClient, train: Any, tmp_path: Path):
    def elsewhere(inputs: pd.DataFrame, target: Any) -> Any:
        mlflow.set_tracking_uri((tmp_path / "elsewhere").as_uri())
        mlflow.set_registry_uri((tmp_path / "elsewhere").as_uri())
        assert mlflow.set_experiment("another").name in ("churn", "preflight")
        mlflow.log_metric("here", 1.0)
        os.environ["MLFLOW_EXPERIMENT_NAME"] = "another"
        return tree(inputs, target)

    before = mlflow.get_tracking_uri()
    train(elsewhere)
    assert only_run(client).data.metrics["project.here"] == 1.0
    assert not (tmp_path / "elsewhere").exists()
    assert mlflow.get_tracking_uri() == before
    assert "MLFLOW_EXPERIMENT_NAME" not in os.environ
    assert client.get_experiment_by_name("another") is None


@pytest.mark.parametrize("switch", [mlflow.autolog, mlflow_sklearn.autolog])
def test_autologging_logs_to_the_platforms_run_registers_nothing_and_is_off_afterwards(
    client: MlflowClient, train: Any, switch: Callable[..., None]
):
    def automatic(inputs: pd.DataFrame, target: Any) -> Any:
        switch()
        return tree(inputs, target)

    original = DecisionTreeClassifier.fit
    outcome = train(automatic)
    found = only_run(client)
    assert found.data.params["project.max_depth"] == "2"
    assert "project.training_accuracy_score" in found.data.metrics
    assert [str(each.version) for each in client.search_model_versions("")] == [outcome.logged.version]
    assert DecisionTreeClassifier.fit is original
    assert not [
        name for name, held in autologging_utils.AUTOLOGGING_INTEGRATIONS.items() if held and not held.get("disable")
    ]


def test_a_model_that_the_project_logs_under_a_registered_name_makes_no_version(client: MlflowClient, train: Any):
    def logs_model(inputs: pd.DataFrame, target: Any) -> Any:
        model = tree(inputs, target)
        mlflow_sklearn.log_model(
            poor(inputs, target),
            name="mine",
            registered_model_name="churn",
            skops_trusted_types=["sklearn.tree._tree.Tree"],
        )
        return model

    outcome = train(logs_model)
    assert [str(each.version) for each in client.search_model_versions("")] == [outcome.logged.version]
    found = client.get_model_version("churn", outcome.logged.version)
    assert client.get_logged_model(str(found.source).removeprefix("models:/")).name == "model"


def test_a_model_that_the_project_registers_is_refused_before_anything_is(client: MlflowClient, train: Any):
    def registers(_inputs: pd.DataFrame, _target: Any) -> Any:
        mlflow.register_model("runs:/0/model", "churn")

    with pytest.raises(ProjectError, match=r"leave the call out"):
        train(registers)
    assert list(client.search_registered_models()) == []


@pytest.mark.parametrize("step", [0, 7, 2**63 - 1])
def test_a_metric_of_the_gates_name_fakes_no_verdict(client: MlflowClient, train: Any, step: int):
    def fakes(inputs: pd.DataFrame, target: Any) -> Any:
        mlflow.log_metric("f1", 0.999, step=step)
        return poor(inputs, target)

    outcome = train(fakes)
    assert not outcome.verdict.passed
    measured = outcome.metrics["f1"]
    assert measured < 0.9
    assert client.get_run(outcome.logged.run_id).data.metrics["f1"] == measured


def test_the_trial_before_leaves_nothing_in_mlflow(client: MlflowClient, train: Any):
    rows: list[int] = []

    def counts(inputs: pd.DataFrame, target: Any) -> Any:
        rows.append(len(inputs))
        mlflow.log_metric(f"rows_{len(inputs)}", 1.0)
        return tree(inputs, target)

    train(counts)
    assert rows == [100, 160]
    metrics = only_run(client).data.metrics
    assert "project.rows_160" in metrics
    assert "project.rows_100" not in metrics


def test_the_trial_takes_no_random_numbers_from_the_training(train: Any):
    drawn: list[float] = []

    def draws(inputs: pd.DataFrame, target: Any) -> Any:
        drawn.append(float(np.random.random()))
        return tree(inputs, target)

    np.random.seed(5)
    expected = float(np.random.random())
    np.random.seed(5)
    train(draws)
    assert drawn == [expected, expected]


def test_names_imported_before_the_training_are_guarded_too(client: MlflowClient, train: Any):
    with guarded():  # as the command imports the project's modules
        from mlflow import end_run, set_experiment, start_run

    def imported(inputs: pd.DataFrame, target: Any) -> Any:
        set_experiment("another")
        with start_run():
            mlflow.log_metric("fold", 1.0)
        end_run()
        return tree(inputs, target)

    outcome = train(imported)
    assert client.get_experiment_by_name("another") is None
    assert len(runs(client)) == 2
    assert client.get_run(outcome.logged.run_id).info.status == "FINISHED"


def test_a_deleted_experiment_is_told_with_who_restores_it(client: MlflowClient, train: Any):
    deleted = client.get_experiment_by_name("churn")
    assert deleted is not None
    client.delete_experiment(deleted.experiment_id)
    with pytest.raises(
        ProjectError, match=f"administrator.*mlflow experiments restore --experiment-id {deleted.experiment_id}"
    ):
        train(tree)
