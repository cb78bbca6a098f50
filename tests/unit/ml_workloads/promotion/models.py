"""A project's registered model in MLflow's own file store, with as many versions as a test needs.

The client alone creates it: a version needs a run with metrics and a file `MLmodel`, not a trained model.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from mlflow import MlflowClient

from ml_workloads.promotion import ModelRegistry
from ml_workloads.runtime import records

SIGNATURE = {
    "inputs": json.dumps([{"type": "double", "name": "age", "required": True}]),
    "outputs": json.dumps([{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]),
}
FLAVORS = {
    "sklearn": {"pickled_model": "model.skops", "serialization_format": "skops", "code": None},
    "python_function": {"loader_module": "mlflow.sklearn", "model_path": "model.skops"},
}


@contextmanager
def mlflow_in(folder: Path) -> Generator[MlflowClient]:
    """Set tracking and registry to the folder for this process."""
    address = (folder / "mlflow").as_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_TRACKING_URI", address)
        patch.chdir(folder)
        mlflow.set_tracking_uri(address)
        try:
            yield MlflowClient(address)
        finally:
            mlflow.set_tracking_uri(None)  # pyright: ignore[reportArgumentType] - back to the environment's


class Model:
    """One project's model, to which tests add versions."""

    def __init__(self, client: MlflowClient, name: str, folder: Path) -> None:
        self.client, self.name, self._folder = client, name, folder
        self.registry = ModelRegistry(client, name)
        client.create_registered_model(name)
        self._experiment = client.create_experiment(name, (folder / name).as_uri())

    def add(
        self,
        f1: float | None = 0.95,
        *,
        contract: bool = True,
        signature: Any = SIGNATURE,
        metadata: Any = None,
        flavors: Any = FLAVORS,
        status: str = "FINISHED",
        job: str = "churn-1",
        alias: str | None = None,
    ) -> str:
        """Add a version; returns its number."""
        tags = {records.JOB: job, **({records.DATA_CONTRACT: records.CONTRACT_MET} if contract else {})}
        run_id = str(self.client.create_run(self._experiment, tags=tags).info.run_id)
        if f1 is not None:
            self.client.log_metric(run_id, "f1", f1)
        self.client.set_terminated(run_id, status)
        model = self._folder / "models" / run_id
        model.mkdir(parents=True)
        document = {"run_id": run_id, "flavors": flavors, "signature": signature, "metadata": metadata}
        (model / "MLmodel").write_text(yaml.safe_dump(document))
        found = self.client.create_model_version(self.name, model.as_uri(), run_id)
        if alias:
            self.name_it(alias, str(found.version))
        return str(found.version)

    def name_it(self, alias: str, version: str) -> None:
        """Set an alias by hand, as MLflow's web page does."""
        self.client.set_registered_model_alias(self.name, alias, version)

    @property
    def aliases(self) -> dict[str, str]:
        return dict(self.registry.standing().aliases)

    def delete(self, version: str) -> None:
        self.client.delete_model_version(self.name, version)
