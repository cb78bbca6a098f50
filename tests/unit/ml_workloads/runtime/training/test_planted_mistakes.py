"""Typical mistakes in training code: each ends the run with one message that names the cause."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.data import LocalFile
from ml_workloads.runtime.errors import CodeError, ProjectError
from ml_workloads.runtime.training.__main__ import GateDocument
from tests.unit.ml_workloads.runtime.conductor.in_process import InProcess
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


def whole(mistake: Planted) -> InProcess:
    """Return a run of the project with the mistake."""
    gate = GateDocument.model_validate(mistake.gate).gate()
    plan = Plan(
        project="churn", job="churn-1", revision="4f2a", target=mistake.target, holdout=0.2, gate=gate, alias="dev"
    )
    plan = replace(plan, **mistake.settings)
    return InProcess(plan, f"mistaken_code:{mistake.contract}", f"mistaken_code:{mistake.train}")


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalFile:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlflow").as_uri())
    monkeypatch.chdir(tmp_path)
    return LocalFile(path=tmp_path / "customers.csv")


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_told_in_one_message_and_registers_nothing(name: str, customers: LocalFile):
    customers.path.write_text(PLANTED[name].rows + "\n")
    with pytest.raises(ProjectError) as told:
        whole(PLANTED[name]).run(LocalFile(path=customers.path.with_name(PLANTED[name].file)))
    assert PLANTED[name].said in str(told.value)
    assert not isinstance(told.value, CodeError)
    assert MlflowClient().search_registered_models() == []


def test_the_project_without_a_mistake_trains(customers: LocalFile):
    correct = Planted(said="")
    customers.path.write_text(correct.rows + "\n")
    whole(correct).run(customers)
    assert MlflowClient().get_model_version_by_alias("churn", "dev").version


def test_a_type_of_the_projects_own_is_saved_when_it_is_listed(customers: LocalFile):
    listed = Planted(train="own_function", settings={"trusted_types": ("mistaken_parts.halved",)}, said="")
    customers.path.write_text(listed.rows + "\n")
    assert whole(listed).run(customers).logged.version == "1"


def test_a_regression_of_numbers_is_judged_by_r2(customers: LocalFile):
    numbers = Planted(train="regression", target="spent", metric="r2", said="")
    customers.path.write_text(numbers.rows + "\n")
    assert whole(numbers).run(customers).metrics["r2"] > 0.9
