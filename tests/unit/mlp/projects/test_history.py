"""`mlp runs`, `mlp models` and `mlp projects`: their tables, their JSON, and their messages for empty lists."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from mlflow_server.written_by import of_alias
from typer.testing import CliRunner, Result

from ml_workloads.promotion.moves import Move, written
from mlp.app import make_app
from mlp.projects.environment import all_projects
from mlp.projects.show import print_table
from tests.unit.ml_workloads.promotion.models import Model


def mlp(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), list(arguments))


def document(*arguments: str) -> Any:
    done = mlp(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_versions_come_newest_first_with_aliases_metric_and_verdict(model: Model):
    model.name_it("production", model.add(0.9))
    model.add(0.95, alias="dev")
    model.client.set_model_version_tag(model.name, "2", "gate", "passed")
    found = document("models", model.name)
    assert [(each["version"], each["aliases"], each["gate"]) for each in found] == [
        ("2", ["dev"], "passed"),
        ("1", ["production"], None),
    ]
    assert [each["metrics"]["f1"] for each in found] == [0.95, 0.9]
    assert [each["gate_by"] for each in found] == [None, None]
    model.client.set_model_version_tag(
        model.name, "2", "gate.by", '{"account":"churn","at":"2026-11-30T00:00:00+00:00"}'
    )
    assert document("models", model.name)[0]["gate_by"] == "churn"
    table = mlp("models", model.name).stdout
    assert "production" in table
    assert "0.95" in table


def test_who_moved_an_alias_by_hand_is_told_as_far_as_the_server_has_recorded_it(model: Model):
    first, second = model.add(), model.add()
    model.name_it("production", first)
    move = Move(
        alias="production",
        version=first,
        came_from=None,
        by="jo",
        at=datetime(2026, 11, 30, tzinfo=UTC),
        kind="promote",
    )
    model.client.set_registered_model_tag(model.name, *written(move))
    model.name_it("production", second)
    assert document("models", model.name, "--history")["notes"][0].endswith("and it names version 2")
    key, value = of_alias("production", "churn", first, datetime(2026, 11, 30, 10, 15, tzinfo=UTC))
    model.client.set_model_version_tag(model.name, second, key, value)
    (note,) = document("models", model.name, "--history")["notes"]
    assert note.endswith("names version 2; the account churn did it on 2026-11-30 10:15 (UTC)")


def test_an_old_version_that_is_in_use_is_listed_however_few_are_asked_for(model: Model):
    model.name_it("production", model.add())
    for _ in range(3):
        model.add()
    assert [each["version"] for each in document("models", model.name, "--most", "1")] == ["4", "1"]


def test_runs_come_with_their_job_and_failed_ones_say_why(model: Model):
    model.add(0.95, job="training-1")
    model.add(None, job="training-2", status="FAILED")
    failed = document("runs", model.name)[0]
    assert (failed["job"], failed["status"]) == ("training-2", "FAILED")
    model.client.set_tag(failed["run_id"], "failure", "KeyError: age")
    assert "training-2: KeyError: age" in mlp("runs", model.name).stdout
    assert [each["job"] for each in document("runs", model.name, "-n", "1")] == ["training-2"]


def test_a_title_that_is_wider_than_its_table_stays_one_line(capsys: pytest.CaptureFixture[str]):
    print_table("tumour-diagnosis in dev", ("Row",), [("1",)])
    assert capsys.readouterr().out.splitlines()[0].rstrip() == "tumour-diagnosis in dev"


@pytest.mark.parametrize("arguments", [["runs"], ["models"], ["models", "--history"]])
def test_where_there_is_nothing_yet_it_says_what_makes_some(model: Model, arguments: list[str]):
    done = mlp(arguments[0], model.name, *arguments[1:])
    assert done.exit_code == 0
    assert f"mlp {'promote' if '--history' in arguments else 'train'} {model.name} --env dev" in done.stdout


def test_the_projects_of_the_repository_are_listed_without_asking_anybody(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    found = {each["name"]: each for each in document("projects")}
    assert set(found) == {project.name for project in all_projects()}
    tumours = found["tumour-diagnosis"]
    assert (tumours["team"], tumours["namespace"]) == ("data-science", "data-science-tumour-diagnosis")
    assert tumours["gate"]["metric"] == "f1"
    assert "tumour-diagnosis" in mlp("projects").stdout


def test_projects_of_an_environment_are_those_that_are_meant_for_it():
    assert document("projects", "--env", "dev") != []
    assert "There are no projects for prod yet" in mlp("projects", "--env", "prod").stdout
    done = mlp("projects", "--env", "nope")
    assert done.exit_code == 1
    assert "there is no such stack file; there are dev, prod, staging" in done.stderr


@pytest.mark.parametrize(
    "command", ["train", "runs", "models", "rollback", "predict", "logs", "status", "promote --to staging"]
)
def test_every_command_names_a_project_that_is_not_there_and_an_environment_that_is_not(command: str):
    name, *options = command.split()
    done = mlp(name, "nope", *options)
    assert done.exit_code == 1
    assert "there is no project 'nope'; there are " in done.stderr
    done = mlp(name, "tumour-diagnosis", *options, "--env", "nope")
    assert done.exit_code == 1
    assert "--env 'nope': there is no such stack file" in done.stderr
