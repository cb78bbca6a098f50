"""What the platform records of its run stays, whatever the project's code logs under the same names."""

from __future__ import annotations

from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Param, RunTag

from ml_workloads.runtime import records
from tests.unit.ml_workloads.runtime.training.test_inside import client, only_run, runs, train, tree

__all__ = ["client", "train"]
FORGED = {name: "forged" for name in sorted(records.OWN_TAGS)}


def run_id() -> str:
    found: Any = mlflow.active_run()
    return str(found.info.run_id)


def by_functions() -> None:
    assert mlflow.log_param("target", "other") == "other"
    mlflow.log_param("holdout", 0.5, synchronous=False).wait()
    mlflow.log_params({"target": "other", "depth": 2})
    mlflow.set_tags({**FORGED, "kind": "tree"})
    mlflow.set_tag("data_contract", "forged")
    mlflow.delete_tag("data_digest")


def by_client() -> None:
    mine = MlflowClient()
    mine.log_param(run_id(), "target", "other")
    mine.log_batch(run_id(), params=[Param("holdout", "0.5"), Param("depth", "2")])
    mine.log_batch(run_id(), tags=[RunTag(name, value) for name, value in FORGED.items()])
    mine.set_tag(run_id(), "job", "forged")
    mine.set_tag(run_id(), "kind", "tree")
    mine.delete_tag(run_id(), "code_revision")


def past_the_client() -> None:
    store: Any = MlflowClient()._tracking_client.store
    for name in FORGED:
        store.set_tag(run_id(), RunTag(name, "forged"))
    store.delete_tag(run_id(), "data_digest")
    mlflow.log_param("depth", 2)
    mlflow.set_tag("kind", "tree")


@pytest.mark.parametrize("forge", [by_functions, by_client, past_the_client])
def test_what_the_platform_records_stays(
    client: MlflowClient,
    train: Any,
    forge: Any,
    caplog: pytest.LogCaptureFixture,
):
    def forges(inputs: pd.DataFrame, target: Any) -> Any:
        forge()
        return tree(inputs, target)

    assert train(forges).verdict.passed
    data = only_run(client).data
    assert data.params | {"target": "leaves", "holdout": "0.2", "depth": "2"} == data.params
    own = {name: value for name, value in data.tags.items() if name in records.OWN_TAGS}
    assert set(own) == {"job", "code_revision", "data_digest", "data_source", "data_contract"}
    assert (own["job"], own["code_revision"], own["data_contract"]) == ("churn-1", "4f2a", "passed")
    assert len(own["data_digest"]) == 64
    assert "forged" not in own.values()
    assert data.tags["kind"] == "tree"
    if forge is not past_the_client:
        assert "the parameter target is passed over: the platform records it itself" in caplog.text
        assert "the tag job is passed over" in caplog.text


def test_a_child_of_the_run_may_use_the_names(
    client: MlflowClient,
    train: Any,
):
    def nests(inputs: pd.DataFrame, target: Any) -> Any:
        with mlflow.start_run():
            mlflow.log_param("target", "other")
            mlflow.set_tag("job", "fold")
        return tree(inputs, target)

    outcome = train(nests)
    found = runs(client)
    assert found.pop(outcome.logged.run_id).data.params["target"] == "leaves"
    (child,) = found.values()
    assert (child.data.params["target"], child.data.tags["job"]) == ("other", "fold")


def test_the_clients_methods_are_put_back(train: Any):
    names = ("log_param", "log_batch", "set_tag", "delete_tag")
    before = [getattr(MlflowClient, name) for name in names]
    train(tree)
    assert [getattr(MlflowClient, name) for name in names] == before
