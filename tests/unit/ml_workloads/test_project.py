"""Valid projects: values that are read from their files."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from ml_workloads.project import PROJECT_FILE, find_projects, load_project, parse_project
from ml_workloads.project.json_schema import json_schema
from tests.contract.programs import ROOT
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.spoiling import DELETE, spoil
from validation.errors import SettingsError


def written(folder: Path, name: str, text: str | dict[str, Any]) -> Path:
    path = folder / name / PROJECT_FILE
    path.parent.mkdir(parents=True)
    path.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
    return path


def test_a_project_is_read_as_it_is_written(tmp_path: Path):
    project = load_project(written(tmp_path, "churn", SOUND))
    assert project == parse_project(SOUND, "here")
    assert project.namespace == "growth-churn"
    online = project.serving.online
    assert online is not None
    assert (online.replicas, online.most_replicas) == (2, 6)


def test_what_is_left_out_has_a_default_that_works():
    least = spoil(
        SOUND,
        ("data.source", {"type": "local", "path": "data/customers.csv"}),
        *[(field, DELETE) for field in ("serving", "secrets", "training.accelerator", "training.schedule")],
    )
    project = parse_project(least, "here")
    assert (project.training.deadline_minutes, project.training.retries) == (60, 1)
    assert project.serving.online is None


@pytest.mark.parametrize(
    "gate",
    [
        {"metric": "rmse", "maximum": 1.5},
        {"metric": "roc_auc", "minimum": 0.9, "max_regression": 0.01},
        {"metric": "r2", "minimum": -0.5},
    ],
)
def test_a_gate_bounds_errors_from_above_and_scores_from_below(gate: dict[str, Any]):
    assert parse_project(spoil(SOUND, ("training.gate", gate)), "here").training.gate.metric == gate["metric"]


def test_a_project_cannot_be_changed():
    project = parse_project(SOUND, "here")
    with pytest.raises(ValidationError, match="frozen"):
        project.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_all_projects_of_a_folder_are_found_by_name(tmp_path: Path):
    written(tmp_path, "churn", SOUND)
    written(tmp_path, "basket", {**SOUND, "name": "basket"})
    assert [project.name for project in find_projects(tmp_path)] == ["basket", "churn"]


def test_wrong_projects_are_all_told_of(tmp_path: Path):
    written(tmp_path, "churn", {**SOUND, "owner": "Jane"})
    written(tmp_path, "basket", {**SOUND, "name": "baskets"})
    with pytest.raises(SettingsError) as refused:
        find_projects(tmp_path)
    assert "churn/project.yaml: 1 wrong setting\n  owner: got" in str(refused.value)
    assert "name: got 'baskets'; write 'basket', the name of the folder" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "got nothing; write a mapping of settings"),
        ("- churn", "got ['churn']; write a mapping of settings"),
        ("name: [", "this is not YAML"),
        ("name: churn\nname: basket", "'name' stands here twice"),
        ("? [name, team]\n: churn", "this is not YAML"),
        ("name: !!python/object:os.system {}", "this is not YAML"),
    ],
)
def test_a_file_that_holds_no_project_is_refused(tmp_path: Path, text: str, said: str):
    with pytest.raises(SettingsError) as refused:
        load_project(written(tmp_path, "churn", text))
    assert said in str(refused.value)
    assert "churn/project.yaml" in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path):
    with pytest.raises(SettingsError, match="there is no such file"):
        load_project(tmp_path / "churn" / PROJECT_FILE)
    with pytest.raises(SettingsError, match="it cannot be read: Is a directory"):
        load_project(tmp_path)
    path = written(tmp_path, "churn", "")
    path.write_bytes(b"name: ch\xff")
    with pytest.raises(SettingsError, match="byte 8 is not UTF-8"):
        load_project(path)


def test_the_committed_json_schema_is_the_models():
    committed = (ROOT / "ml_workloads" / "project.schema.json").read_text()
    assert committed == json_schema(), (
        "run `python -m ml_workloads.project.json_schema > ml_workloads/project.schema.json`"
    )


@pytest.mark.parametrize(
    "change",
    [
        ("name", "Churn"),
        ("quota.memory", "16GB"),
        ("training.accelerator.type", "nvidia-l5"),
        ("data.source.type", "gcs"),
        ("training.entrypoint", "train.py"),
        ("monitoring", {}),
    ],
)
def test_editors_see_with_the_json_schema_what_is_wrong(change: tuple[str, object]):
    checker = Draft202012Validator(json.loads(json_schema()))
    assert list(checker.iter_errors(SOUND)) == []  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    assert list(checker.iter_errors(spoil(SOUND, change)))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
