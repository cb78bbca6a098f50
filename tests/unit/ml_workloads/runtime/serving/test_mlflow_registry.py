"""Models that MLflow itself logged, in a file store: lookups by alias, and rejections."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from ml_workloads.runtime.serving.mlflow_registry import MlflowRegistry, plain
from ml_workloads.runtime.serving.models import Follower, UnservableError

MARKER = "TEST_MARKER"
INPUTS = pd.DataFrame({"area": [1.0, 2.0, 3.0]})


def log(factor: float, *, signature: bool = True) -> None:
    """Register a model that multiplies by a factor."""
    model: Any = LinearRegression().fit(INPUTS, INPUTS["area"] * factor)
    inferred: Any = infer_signature(INPUTS, model.predict(INPUTS)) if signature else None
    with mlflow.start_run():
        mlflow.sklearn.log_model(  # pyright: ignore[reportPrivateImportUsage]
            model,
            name="model",
            signature=inferred,
            registered_model_name="rent",
            pip_requirements=["scikit-learn"],
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a store.

    Version 1 multiplies by 2, version 2 by 3, version 3 has no signature; `production` is version 1.
    """
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
        patch.chdir(folder)
        patch.setenv("MLFLOW_EXPERIMENT_ID", MlflowClient().create_experiment("rent"))
        log(2.0)
        log(3.0)
        log(4.0, signature=False)
        yield folder


@pytest.fixture
def client(store: Path) -> MlflowClient:
    assert store.is_dir()
    found = MlflowClient()
    found.set_registered_model_alias("rent", "production", "1")
    return found


def test_the_alias_names_the_version_and_the_version_answers(client: MlflowClient):
    registry = MlflowRegistry("rent", "production")
    assert registry.current() == "1"
    client.set_registered_model_alias("rent", "production", "2")
    assert registry.current() == "2"
    model = registry.load("2")
    assert (model.name, model.version, [column.name for column in model.columns]) == ("rent", "2", ["area"])
    assert model.predict(INPUTS) == pytest.approx([3.0, 6.0, 9.0])


@pytest.mark.usefixtures("client")
def test_without_alias_or_signature_there_is_nothing_to_serve():
    assert MlflowRegistry("rent", "staging").current() is None
    assert MlflowRegistry("nobody", "staging").current() is None
    with pytest.raises(UnservableError, match="SignatureError: the model has no signature"):
        MlflowRegistry("rent", "production").load("3")


def test_a_corrupt_artifact_leaves_the_version_before(client: MlflowClient, store: Path, tmp_path: Path):
    now = [0.0]
    follower = Follower(MlflowRegistry("rent", "production"), clock=lambda: now[0])
    assert follower.step() == "served"
    (artifact,) = [path for path in store.rglob("model.skops") if _version(client, "2") in str(path)]
    shutil.copy(artifact, tmp_path / "kept")
    artifact.write_bytes(artifact.read_bytes()[:100])
    client.set_registered_model_alias("rent", "production", "2")
    assert follower.step() == "load failed"
    assert follower.model is not None
    assert follower.model.version == "1"
    assert "version 2 cannot be loaded" in follower.problem
    shutil.copy(tmp_path / "kept", artifact)
    now[0] = 60.0
    assert follower.step() == "served"
    assert follower.model.version == "2"


class MarkerModel(LinearRegression):
    """A model whose pickle creates an empty file when it is loaded."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path(os.environ[MARKER]),)


@pytest.mark.parametrize("kept_as", ["pickle", "cloudpickle"])
def test_a_pickle_that_the_alias_names_is_not_loaded_and_the_version_before_goes_on(
    client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_as: str
):
    marker = tmp_path / "loaded"
    monkeypatch.setenv(MARKER, str(marker))
    follower = Follower(MlflowRegistry("rent", "production"))
    assert follower.step() == "served"
    folder = tmp_path / "model"
    model: Any = MarkerModel().fit(INPUTS, INPUTS["area"])
    mlflow.sklearn.save_model(  # pyright: ignore[reportPrivateImportUsage]
        model, str(folder), serialization_format=kept_as, pip_requirements=["scikit-learn"]
    )
    hand_logged = client.create_model_version("rent", folder.as_uri())
    try:
        client.set_registered_model_alias("rent", "production", hand_logged.version)
        assert follower.step() == "load failed"
        assert f"version {hand_logged.version} cannot be loaded: " in follower.problem
        assert f"flavors.sklearn.serialization_format is '{kept_as}', which runs code" in follower.problem
        assert "log it with mlflow.sklearn.log_model(..., serialization_format='skops')" in follower.problem
        assert follower.model is not None
        assert follower.model.version == "1"
        assert follower.model.predict(INPUTS) == pytest.approx([2.0, 4.0, 6.0])
        assert not marker.exists()
    finally:
        client.delete_model_version("rent", hand_logged.version)


def _version(client: MlflowClient, version: str) -> str:
    return str(client.get_model_version("rent", version).source).rpartition("/")[2]


@pytest.mark.parametrize(
    ("answered", "written"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([[0.5, 0.5]]), [[0.5, 0.5]]),
        (pd.Series(["a"]), ["a"]),
        (pd.DataFrame({"label": ["a"], "share": [0.5]}), [{"label": "a", "share": 0.5}]),
        (("a", "b"), ["a", "b"]),
    ],
)
def test_answers_become_what_json_can_carry(answered: Any, written: list[Any]):
    assert plain(answered) == written
