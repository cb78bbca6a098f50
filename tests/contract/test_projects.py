"""Every committed project is valid for the schema and for the environments that it names."""

from pathlib import Path, PurePosixPath

import pytest

from ml_workloads.project import PROJECT_FILE, Project, find_projects
from ml_workloads.project.image import RUNTIME_IMAGE
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


DOCKERFILES = [
    *(ROOT / "ml_workloads" / "projects" / project.name / "Dockerfile" for project in PROJECTS),
    ROOT / RUNTIME_IMAGE.dockerfile,
]


def test_what_conducts_runs_holds_no_projects_code():
    files = RUNTIME_IMAGE.files(ROOT)
    assert PurePosixPath("ml_workloads/runtime/conductor/__main__.py") in files
    assert {path.parts[:2] for path in files} == {("ml_workloads", "__init__.py"), ("ml_workloads", "runtime")}
    copied = [
        line.split()[1]
        for line in (ROOT / RUNTIME_IMAGE.dockerfile).read_text().splitlines()
        if line.startswith("COPY ml_workloads")
    ]
    assert copied
    assert all(path.startswith(("ml_workloads/runtime", "ml_workloads/__init__.py")) for path in copied)


def test_projects_are_trained_with_the_packages_that_their_conductor_measures_with():
    """One saves a model that the other loads."""
    for project in PROJECTS:
        lines = (folder(project) / "Dockerfile").read_text().splitlines()
        assert "COPY ml_workloads/runtime/requirements.txt /tmp/requirements.txt" in lines, project.name
    assert "COPY ml_workloads/runtime/requirements.txt /tmp/requirements.txt" in (
        (ROOT / RUNTIME_IMAGE.dockerfile).read_text().splitlines()
    )


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_an_image_runs_without_root(dockerfile: Path):
    lines = dockerfile.read_text().splitlines()
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
