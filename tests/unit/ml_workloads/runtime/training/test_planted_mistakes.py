"""Mistakes that people make in training code: each ends with exit code 2 and one message that names the thing."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ml_workloads.runtime.training.__main__ import main
from tests.unit.ml_workloads.runtime.training.planted import CODE, PARTS, PLANTED, Planted


@pytest.fixture(scope="module", autouse=True)
def code(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("planted")
    (folder / "mistaken_code.py").write_text(CODE)
    (folder / "mistaken_parts.py").write_text(PARTS)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in ("mistaken_code", "mistaken_parts"):
        sys.modules.pop(name, None)


def plant(mistake: Planted, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the project with the mistake into the environment of a training pod."""
    (folder / "customers.csv").write_text(mistake.rows + "\n")
    monkeypatch.chdir(folder)
    values = {
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": (folder / "mlflow").as_uri(),
        "TRAINING_PROJECT": "churn",
        "TRAINING_JOB": "churn-1",
        "TRAINING_DATA": json.dumps({"type": "local", "path": "customers.csv"}),
        "TRAINING_CONTRACT": f"mistaken_code:{mistake.contract}",
        "TRAINING_TARGET": mistake.target,
        "TRAINING_ENTRYPOINT": f"mistaken_code:{mistake.train}",
        "TRAINING_GATE": json.dumps(mistake.gate),
        "TRAINING_ALIAS": "dev",
        **mistake.variables,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_told_in_one_message_and_ends_with_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    plant(PLANTED[name], tmp_path, monkeypatch)
    assert main() == 2
    (told,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert PLANTED[name].said in told.getMessage()
    assert told.exc_info is None
    assert "Traceback" not in caplog.text
    assert MlflowClient().search_registered_models() == []


def test_the_project_without_a_mistake_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plant(Planted(said=""), tmp_path, monkeypatch)
    assert main() == 0
    assert MlflowClient().get_model_version_by_alias("churn", "dev").version


def test_a_type_of_the_projects_own_is_saved_when_it_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plant(
        Planted(train="own_function", variables={"TRAINING_TRUSTED_TYPES": '["mistaken_parts.halved"]'}, said=""),
        tmp_path,
        monkeypatch,
    )
    assert main() == 0


def test_a_regression_of_numbers_is_judged_by_r2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plant(Planted(train="regression", target="spent", metric="r2", said=""), tmp_path, monkeypatch)
    assert main() == 0
    (run,) = MlflowClient().search_runs([each.experiment_id for each in MlflowClient().search_experiments()])
    assert run.data.metrics["r2"] > 0.9
