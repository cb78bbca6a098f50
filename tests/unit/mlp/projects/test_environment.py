"""Selection of project and environment from the files; errors of a call are reported before any request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlp.console import PlainError
from mlp.environments import known_environments
from mlp.projects.environment import find_environment, find_place, served_examples
from tests.unit.mlp.projects.places import PLATFORM, write_project, write_stacks
from validation.errors import SettingsError


def test_names_follow_from_the_environment(tmp_path: Path):
    place = find_place("churn", "dev", write_project(tmp_path), write_stacks(tmp_path))
    environment = place.environment
    assert (environment.region, environment.cluster) == ("eu-central-1", "ml-platform-dev-eks")
    assert place.account_secret == "ml-platform-dev/mlflow/accounts/churn/password"
    assert place.role == "ml-platform-dev-cluster-team-growth"
    assert environment.role_for("visitors") == "ml-platform-dev-cluster-platform"


def test_every_committed_stack_can_be_named():
    names = set(known_environments())
    assert {find_environment(name).name for name in names} == names


@pytest.mark.parametrize(
    ("project", "environment", "said"),
    [
        ("nope", "dev", "there is no project 'nope'; there are churn"),
        ("churn", "nope", "--env 'nope': there is no such stack file; there are dev, prod"),
        (
            "churn",
            "prod",
            "is not meant for prod: its environments are dev; add prod .* `pulumi up --stack prod`",
        ),
        ("../churn", "dev", "there is no project '../churn'"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(tmp_path: Path, project: str, environment: str, said: str):
    projects, stacks = write_project(tmp_path, environments=["dev"]), write_stacks(tmp_path)
    with pytest.raises(PlainError, match=said):
        find_place(project, environment, projects, stacks)


@pytest.mark.parametrize("platform", [None, [], {"region": "eu-1"}, {"cluster": {}}, {**PLATFORM, "cluster": 7}])
def test_a_stack_file_that_lacks_what_is_needed_is_named(tmp_path: Path, platform: Any):
    with pytest.raises(PlainError, match=r"stacks/Pulumi\.dev\.yaml has no ml-platform:platform with region"):
        find_environment("dev", write_stacks(tmp_path, platform))


def test_a_stack_file_in_another_encoding_is_named(tmp_path: Path):
    stacks = write_stacks(tmp_path)
    (stacks / "Pulumi.dev.yaml").write_bytes("# für\n".encode("latin-1"))
    with pytest.raises(PlainError, match=r"^stacks/Pulumi\.dev\.yaml: byte 3 is not UTF-8; save the file as UTF-8$"):
        find_environment("dev", stacks)


def test_a_project_that_is_wrong_is_told_as_everywhere(tmp_path: Path):
    projects, stacks = write_project(tmp_path, owner="nobody"), write_stacks(tmp_path)
    with pytest.raises(SettingsError, match="write an e-mail address"):
        find_place("churn", "dev", projects, stacks)


def test_projects_have_an_example_where_they_are_served_and_bring_one():
    assert {name: path.name for name, path in served_examples("dev").items()} == {"tumour-diagnosis": "example.json"}
    assert served_examples("prod") == {}
