"""The check reports, per environment, conflicts between all projects that `pulumi up` would reject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ml_workloads.project import Project, parse_project
from mlp.environments import PROGRAM, STACKS
from mlp.projects.check_names import loadable, name_problems
from tests.unit.ml_workloads.examples import SOUND


def project(name: str, team: str = "growth", environments: tuple[str, ...] = ("dev",), **changes: Any) -> Project:
    return parse_project(
        {**SOUND, "name": name, "team": team, "environments": list(environments), **changes}, "example"
    )


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """Write settings: dev has a team `vision` and a repository with a project's name; staging is unchanged."""
    folder = tmp_path / "stacks"
    folder.mkdir()
    for name in ("dev", "staging"):
        document: Any = yaml.safe_load((STACKS / f"Pulumi.{name}.yaml").read_text())
        settings = document["config"][f"{PROGRAM}:platform"]
        if name == "dev":
            settings["cluster"]["teams"] = {
                "vision": {"namespaces": ["vision-*"]},
                "growth": {"namespaces": ["growth-*"]},
                "viewers": {"namespaces": ["viewers-*"], "policy": "view"},
            }
            settings["registry"]["repositories"] = ["mlflow", "runtime", "projects/scores"]
        (folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(document))
    return folder


def told(stacks: Path, wanted: Project, *others: Project) -> str | None:
    return name_problems([wanted], [wanted, *others], stacks)[wanted.name]


def test_a_sound_project_has_no_problem(stacks: Path):
    assert told(stacks, project("churn"), project("basket", "housing")) is None


def test_a_team_of_the_settings_whose_namespaces_would_be_shared_is_told(stacks: Path):
    said = told(stacks, project("defects", "vision-lab"))
    assert said is not None
    assert said.startswith("dev: teams vision (cluster.teams of the settings) and vision-lab (project defects)")


def test_a_repository_of_the_settings_that_would_be_a_projects_is_told(stacks: Path):
    said = told(stacks, project("scores"))
    assert said is not None
    assert said.startswith("dev: registry.repositories: got 'projects/scores'; remove it or rename it")


def test_settings_of_an_environment_that_the_project_is_not_meant_for_do_not_count(stacks: Path):
    assert told(stacks, project("scores", environments=("staging",))) is None


def test_a_clash_in_several_environments_is_told_once_with_their_names(stacks: Path):
    said = told(stacks, project("credit", "sales", ("dev", "staging")), project("credit-b", "sales-lab"))
    assert said is not None
    assert said.count("teams sales (project credit)") == 1
    assert said.startswith("dev, staging: ")


def test_settings_that_cannot_be_read_hide_no_clash_between_projects(tmp_path: Path):
    said = told(tmp_path, project("credit", "data"), project("credit-b", "data-lab"))
    assert said is not None
    assert said.startswith("teams data (project credit) and data-lab")


def test_a_role_that_iam_would_not_take_is_told(stacks: Path):
    others = [project(f"forecast-of-demand-{index:03}") for index in range(80)]
    said = told(stacks, project("churn"), *others)
    assert said is not None
    assert said.startswith("dev: team growth: its 81 projects in dev")
    team = [project(each.name, "viewers") for each in others]
    assert told(stacks, project("churn"), *team) is None


def test_a_broken_file_of_another_project_hides_no_clash(tmp_path: Path, stacks: Path):
    folder = tmp_path / "projects"
    for name, team in (("credit", "data"), ("credit-b", "data-lab"), ("broken", "?")):
        (folder / name).mkdir(parents=True)
        (folder / name / "project.yaml").write_text(yaml.safe_dump({**SOUND, "name": name, "team": team}))
    there = loadable(folder)
    assert [each.name for each in there] == ["credit", "credit-b"]
    found = name_problems(there, there, stacks)
    assert all(said and "covers data-lab" in said for said in found.values())
