"""Conflicting names of projects and teams, which would give one team the resources of another."""

import itertools
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from ml_workloads.project import Project, find_projects, parse_project
from ml_workloads.project.neighbours import conflicts
from ml_workloads.project.reserved import KUBERNETES, PLATFORM, overlap, team_name
from platform_services.namespaces import NAMESPACES
from tests.unit.ml_workloads.examples import SOUND
from validation.errors import SettingsError


def project(team: str, name: str) -> Project:
    return parse_project({**SOUND, "team": team, "name": name}, "here")


@pytest.mark.parametrize(
    ("one", "other", "namespace"),
    [
        (("data", "science-credit"), ("data-science", "credit"), "data-science-credit"),
        (("vision", "lab-quality"), ("vision-lab", "quality"), "vision-lab-quality"),
        (("a", "b-c-d"), ("a-b-c", "d"), "a-b-c-d"),
    ],
)
def test_two_projects_of_one_namespace_are_refused(one: tuple[str, str], other: tuple[str, str], namespace: str):
    found = "\n".join(conflicts([project(*one), project(*other)]))
    assert f"both would have the namespace {namespace}; change name or team in one of their files" in found


def test_a_team_whose_pattern_covers_another_team_is_refused_with_where_both_names_are():
    [found] = conflicts([project("vision", "quality"), project("vision-lab", "defects")])
    assert found == (
        "teams vision (project quality) and vision-lab (project defects): vision-* is what vision works in, and it "
        "covers vision-lab and vision-lab-*; rename one of them, for example visionlab"
    )


def test_teams_of_the_settings_count_too():
    [found] = conflicts([project("vision-lab", "defects")], {"vision": ["vision", "vision-*"]})
    assert found.startswith("teams vision (cluster.teams of the settings) and vision-lab (project defects): ")
    [found] = conflicts([], {"data": ["data-*"], "data-science": ["data-science-*"]})
    assert "teams data (cluster.teams of the settings) and data-science (cluster.teams of the settings)" in found


def test_names_that_only_begin_alike_are_no_conflict():
    teams = {"vision": ["vision", "vision-*"], "visionlab": ["visionlab", "visionlab-*"]}
    assert list(conflicts([project("vision", "a"), project("visionlab", "a-b"), project("lab", "vision")], teams)) == []


def test_projects_of_one_team_are_no_conflict():
    assert list(conflicts([project("data", "credit"), project("data", "science-credit")])) == []


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("text-*", "it covers namespaces of team text, text-*"),
        ("*-quality", "it covers namespaces of team text, text-*"),
        ("te*", "it covers namespaces of team text, text-*"),
        ("text-quality", "it covers namespaces of team text, text-*"),
        ("kube-system", "it covers kube-*, kube-system, which is not the team's"),
        ("ml-*", "it covers ml-platform, which is not the team's"),
        ("amazon-cloudwatch", "it covers amazon-*, which is not the team's"),
        ("d*t", "it covers default, which is not the team's"),
    ],
)
def test_a_pattern_of_the_settings_that_covers_what_is_not_the_teams_is_refused(pattern: str, covered: str):
    found = list(conflicts([project("text", "quality")], {"vision": ["vision-*", pattern]}))
    assert any(line.startswith(f"cluster.teams.vision.namespaces: got '{pattern}'; write less") for line in found)
    assert any(covered in line for line in found), found


def test_a_team_of_the_settings_cannot_have_the_platforms_name():
    [name, pattern] = conflicts([], {"ml": ["ml-*"]})
    assert name.startswith("cluster.teams.ml: choose another name, a team ml would work in ml-platform")
    assert pattern.startswith("cluster.teams.ml.namespaces: got 'ml-*'")


@pytest.mark.parametrize(
    "team", ["kube", "kube-tools", "ml", "ml-platform", "cluster", "accelerators", "amazon", "aws", "eks", "default"]
)
def test_a_team_that_would_work_in_a_reserved_namespace_is_refused(team: str):
    with pytest.raises(SettingsError, match=rf'team: got "{team}"; choose another name, a team {team} would work in'):
        project(team, "system")


@pytest.mark.parametrize("team", ["data-science", "mlops", "kubernetes", "platform", "clusters", "system"])
def test_other_teams_may_be_called_as_they_like(team: str):
    assert team_name(team) == team


def test_a_project_cannot_have_the_name_of_mlflows_administrator():
    with pytest.raises(SettingsError, match=r'name: got "admin"; choose another name, MLflow\'s administrator'):
        project("growth", "admin")


@pytest.mark.parametrize("name", ["projects/churn", "projects-churn"])
def test_a_repository_of_the_settings_that_stands_for_a_projects_is_refused(name: str):
    [found] = conflicts([project("growth", "churn")], repositories=["mlflow", name])
    assert found.startswith(f"registry.repositories: got '{name}'; remove it or rename it")


def test_the_reserved_namespaces_are_those_that_the_platform_makes():
    assert set(NAMESPACES) == PLATFORM
    assert "kube-system" in KUBERNETES


def test_patterns_overlap_where_a_name_fits_both():
    texts = ["".join(each) for length in range(1, 6) for each in itertools.product("ab-", repeat=length)]
    patterns = ["a", "a-*", "*a", "a*", "a*b", "*-b", "ab-*", "-*-", "b"]
    for one, other in itertools.product(patterns, repeat=2):
        fits = any(fnmatchcase(text, one) and fnmatchcase(text, other) for text in texts)
        assert overlap(one, other) is fits, (one, other)


def test_files_whose_names_are_in_each_others_way_are_refused_when_they_are_read(tmp_path: Path):
    for team, name in (("data", "science-credit"), ("data-science", "credit")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "project.yaml").write_text(yaml.safe_dump({**SOUND, "team": team, "name": name}))
    with pytest.raises(SettingsError) as refused:
        find_projects(tmp_path)
    assert f"{tmp_path}: projects credit (team data-science) and science-credit (team data)" in str(refused.value)
