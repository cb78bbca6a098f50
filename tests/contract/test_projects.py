"""Every committed project, held against the schema and against the environments that it asks for."""

from pathlib import Path

import pytest

from ml_workloads.project import PROJECT_FILE, Project, find_projects
from tests.contract.programs import ROOT, program

PROJECTS = find_projects(ROOT / "ml_workloads" / "projects")


def folder(project: Project) -> Path:
    return ROOT / "ml_workloads" / "projects" / project.name


def test_there_is_an_example():
    assert [project.name for project in PROJECTS] == ["tumour-diagnosis"]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_project_has_an_image_tests_and_the_schema_for_editors(project: Project):
    assert (folder(project) / "Dockerfile").is_file()
    assert list((folder(project) / "tests").glob("test_*.py"))
    first = (folder(project) / PROJECT_FILE).read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../project.schema.json"


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_an_image_runs_without_root(project: Project):
    lines = (folder(project) / "Dockerfile").read_text().splitlines()
    (user,) = [line for line in lines if line.startswith("USER ")]
    number = user.removeprefix("USER ").partition(":")[0]
    assert number.isdecimal(), "Kubernetes cannot tell that a named user is not root"
    assert int(number) != 0


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_an_accelerator_that_is_asked_for_is_in_the_environments(project: Project):
    for environment in project.environments:
        accelerators = {pool.accelerator for pool in program(environment).settings.cluster.pools.values()}
        wanted = project.training.accelerator
        assert wanted is None or wanted.type in accelerators


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_projects_team_may_work_in_its_namespace(project: Project):
    for environment in project.environments:
        team = program(environment).settings.cluster.teams.get(project.team)
        assert team is not None
        assert any(Path(project.namespace).match(pattern) for pattern in team.namespaces)
