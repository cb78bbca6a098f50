"""A team runs every command on its own projects with its role, and none on others'; the platform's team can help."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.environments.real_nodes.deployed import STACK
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import PREFIX, DeployedProjects
from tests.environments.real_nodes.projects.sources import EXAMPLE, OTHER, OTHER_SECRET

TEAM, PLATFORM = "team-data-science", "platform"
Principals = dict[str, dict[str, str]]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def principals(deployed: DeployedProjects, first_model: FirstModel) -> Principals:
    """Return the environment variables of each role, by the end of the role's name."""
    sts, roles = deployed.box.client("sts"), deployed.outputs["cluster_role_arns"]
    found: Principals = {}
    for name in (TEAM, PLATFORM):
        given = sts.assume_role(RoleArn=roles[name], RoleSessionName="ada")["Credentials"]
        found[name] = {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }
    return found


@pytest.fixture(scope="module")
def mlp(deployed: DeployedProjects, principals: Principals) -> Command:
    copy = deployed.copy

    def run(role: str, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        command = copy.mlp_command(*arguments, "--env", STACK, "--json")
        return deployed.run_as({**principals[role], "PYTHONPATH": str(copy.folder)}, *command, ok=ok)

    return run


def said(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("role", [TEAM, PLATFORM])
def test_a_role_sees_its_projects_versions_and_runs(mlp: Command, role: str) -> None:
    assert "1" in {str(each["version"]) for each in said(mlp(role, "models", EXAMPLE))}
    assert said(mlp(role, "runs", EXAMPLE))
    assert said(mlp(role, "status", EXAMPLE))["problems"] == []


@pytest.mark.parametrize("role", [TEAM, PLATFORM])
def test_a_role_promotes_also_the_first_time(deployed: DeployedProjects, mlp: Command, role: str) -> None:
    namespace = deployed.namespace_of(EXAMPLE)
    # Other modules may have trained since.
    deployed.mlp("promote", EXAMPLE, "--to", "staging")
    deployed.box.kubectl("delete", "lease", "promotion", "--namespace", namespace)
    for _ in ("makes the lease", "takes the lease over"):
        promoted = said(mlp(role, "promote", EXAMPLE, "--to", "staging"))
        assert (promoted["already"], promoted["moved"]) == (True, False)
    assert deployed.box.kubectl("get", "lease", "promotion", "--namespace", namespace)


def test_a_team_rolls_back_as_far_as_there_is_something_to_go_back_to(mlp: Command) -> None:
    """A caller without permission would be denied before this message."""
    assert "there is nothing to go back to" in refusal(mlp(TEAM, "rollback", EXAMPLE, ok=False))


@pytest.mark.parametrize("command", [("models", OTHER), ("runs", OTHER), ("promote", OTHER, "--to", "staging")])
def test_a_project_of_another_team_is_refused_with_what_is_missing(mlp: Command, command: tuple[str, ...]) -> None:
    told = refusal(mlp(TEAM, *command, ok=False))
    assert f"assumed-role/{PREFIX}-cluster-team-data-science/ada is not authorized to perform" in told
    assert "secretsmanager:GetSecretValue" in told
    assert "docs/projects.md says what each command needs" in told


def test_a_project_whose_team_has_no_role_is_the_platforms(mlp: Command) -> None:
    found = said(mlp(PLATFORM, "models", OTHER))
    assert [version["aliases"] for version in found] == [[] for _ in found]


@pytest.mark.parametrize(
    ("role", "question", "answer"),
    [
        (TEAM, ("update", "leases/promotion", "-n", "data-science-tumour-diagnosis"), "yes"),
        (TEAM, ("update", "leases/another", "-n", "data-science-tumour-diagnosis"), "no"),
        (TEAM, ("delete", "leases/promotion", "-n", "data-science-tumour-diagnosis"), "no"),
        (TEAM, ("get", "leases/promotion", "-n", "research-cell-survey"), "no"),
        (TEAM, ("create", "leases", "-n", "research-cell-survey"), "no"),
        (TEAM, ("create", "pods", "--subresource=portforward", "-n", "research-cell-survey"), "no"),
        (TEAM, ("create", "pods", "--subresource=portforward", "-n", "ml-platform"), "yes"),
        (TEAM, ("create", "pods", "--subresource=exec", "-n", "ml-platform"), "no"),
        (TEAM, ("get", "pods", "--subresource=log", "-n", "ml-platform"), "no"),
        (TEAM, ("create", "pods", "--subresource=portforward", "-n", "cluster-services"), "no"),
        (PLATFORM, ("update", "leases/promotion", "-n", "research-cell-survey"), "yes"),
        (PLATFORM, ("update", "leases/another", "-n", "research-cell-survey"), "no"),
    ],
)
def test_on_the_cluster_a_role_may_that_and_no_more(
    deployed: DeployedProjects, principals: Principals, role: str, question: tuple[str, ...], answer: str
) -> None:
    done = deployed.run_as(principals[role], "kubectl", "auth", "can-i", *question, ok=False)
    assert done.stdout.split()[0] == answer


@pytest.mark.parametrize("role", [TEAM, PLATFORM])
@pytest.mark.parametrize("name", ["mlflow/admin", f"projects/{OTHER}/{OTHER_SECRET}"])
def test_other_secrets_are_neither_read_nor_filled(
    deployed: DeployedProjects, principals: Principals, role: str, name: str
) -> None:
    secret = ("--secret-id", f"{PREFIX}/{name}")
    for command in (("get-secret-value", *secret), ("put-secret-value", *secret, "--secret-string", "x")):
        done = deployed.run_as(principals[role], "aws", "secretsmanager", *command, ok=False)
        assert done.returncode
        assert "AccessDenied" in done.stderr
