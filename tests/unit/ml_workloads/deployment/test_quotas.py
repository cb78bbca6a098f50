"""Roles that would exceed IAM's limits are reported with numbers, before anything is created."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from ml_workloads.deployment.quotas import too_long
from ml_workloads.project import Project
from tests.unit.ml_workloads.deployment.platforms import deployed, project

PLATFORM: Any = SimpleNamespace(
    environment="dev",
    prefix="ml-platform-staging-europe",
    account=SimpleNamespace(region="ap-southeast-2"),
    cluster=SimpleNamespace(
        plain_name="ml-platform-staging-europe-eks", group_roles={"platform": "", "team:growth": ""}
    ),
)


def several(count: int, team: str = "growth") -> list[Project]:
    """Return projects of a team, with names of the maximum length, and one secret each."""
    return [project(name=f"forecast-of-demand-{index:03}", team=team) for index in range(count)]


def told(*projects: Project) -> list[str]:
    return list(too_long(PLATFORM, projects))


def test_a_team_has_room_for_more_than_twenty_projects_and_what_does_not_fit_is_told_with_the_numbers():
    assert told(*several(25)) == []
    [said] = told(*several(60))
    assert said.startswith("team growth: its 60 projects in dev, with 60 secrets, make policies of ")
    assert said.endswith("IAM takes 10240; give some of the projects to another team")


def test_projects_of_many_teams_are_no_matter_however_many_they_are():
    assert told(*(each for team in ("growth", "housing") for each in several(25, team))) == []


def test_a_team_without_a_role_has_no_policies_that_could_be_too_long():
    assert told(*several(60, "housing")) == []


def test_a_project_with_too_many_secrets_of_its_own_is_told_and_one_with_many_is_not():
    assert told(project(secrets=[f"key-of-shop-{index}" for index in range(20)] + ["warehouse"])) == []
    [said] = told(project(team="housing", secrets=[f"key-of-shop-{index}" for index in range(60)] + ["warehouse"]))
    assert said.startswith("project churn: secrets: 61 secrets make a policy of ")
    assert said.endswith("IAM takes 10240; keep several values in one secret")


def test_a_name_that_makes_a_role_longer_than_iam_takes_is_told_and_one_that_just_fits_is_not():
    fits = 64 - len(f"{PLATFORM.prefix}-ml--conductor")
    assert told(project(name="a" * fits)) == []
    role = f"{PLATFORM.prefix}-ml-{'a' * (fits + 2)}-conductor"
    assert told(project(name="a" * (fits + 2))) == [
        f"project {'a' * (fits + 2)}: name: the role {role} of its pods has 66 characters, IAM takes 64; shorten the "
        "project's name by 2, or the name of this program in Pulumi.yaml"
    ]


def test_the_program_ends_before_anything_is_made():
    with pytest.raises(pulumi.RunError, match="team growth: its 60 projects"):
        deployed(*several(60))
