"""Fixtures: one server with two projects. `churn` tries to reach the files of `rent`'s model in production."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from ml_workloads.runtime import records
from ml_workloads.runtime.serving.columns import INPUTS, describe
from tests.environments.mlflow.running import Server, running

OWN, THEIRS = "churn", "rent"
READER = f"{OWN}.serving"
TABLE = pd.DataFrame({"area": [1.0, 2.0, 3.0]})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Extend timeouts: the first test waits for MLflow's packages and for the server."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@dataclass(frozen=True)
class Recorded:
    """A run, the model that it logged, and the version created from it."""

    experiment: str
    run: str
    model: str
    version: str

    @property
    def files(self) -> str:
        """Return the path of the model's files in MLflow's proxy."""
        return f"{self.experiment}/models/{self.model}/artifacts"


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with warnings.catch_warnings(), running(tmp_path_factory.mktemp("mlflow")) as made:
        made.reconcile(OWN, THEIRS)
        yield made


def train(project: str, factor: float, f1: float = 0.95, **more: Any) -> Recorded:
    """Record a run as training does, as the signed-in account; its model multiplies by a factor."""
    model: Any = LinearRegression().fit(TABLE, TABLE["area"] * factor)
    tags: Mapping[str, str] = {records.JOB: "training-1", records.DATA_CONTRACT: records.CONTRACT_MET}
    experiment = mlflow.set_experiment(project)
    with mlflow.start_run(tags=dict(tags)) as run:
        mlflow.log_param("factor", factor)
        mlflow.log_metric("f1", f1)
        logged: Any = mlflow.sklearn.log_model(  # pyright: ignore[reportPrivateImportUsage]
            model,
            name="model",
            signature=infer_signature(TABLE, model.predict(TABLE)),
            metadata={INPUTS: describe(TABLE)},
            registered_model_name=project,
            pip_requirements=["scikit-learn"],
            **more,
        )
        return Recorded(
            experiment=str(experiment.experiment_id),
            run=str(run.info.run_id),
            model=str(logged.model_id),
            version=str(logged.registered_model_version),
        )
    raise AssertionError("a run swallows no exception")


@pytest.fixture(scope="package")
def own(server: Server) -> Recorded:
    with server.signed_in(OWN) as client:
        made = train(OWN, 2.0)
        client.set_registered_model_alias(OWN, "dev", made.version)
        return made


@pytest.fixture(scope="package")
def theirs(server: Server) -> Recorded:
    with server.signed_in(THEIRS) as client:
        made = train(THEIRS, 3.0)
        client.set_registered_model_alias(THEIRS, "production", made.version)
        return made
