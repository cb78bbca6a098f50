"""Groups of people: access entries and cluster bindings use the same names, and projects belong to their teams."""

import json
import re
from typing import Any

from components.eks.access import team_group
from ml_workloads.project import Project, find_projects
from mlp_sandbox.emulator.kubernetes_access.policies import POLICIES
from platform_services.namespaces import NAMESPACES
from platform_services.readers import READABLE
from tests.contract.iam import as_list
from tests.contract.manifests import objects, of_kind
from tests.contract.programs import ROOT, Program

ENTRY, ROLE_POLICY = "aws:eks/accessEntry:AccessEntry", "aws:iam/rolePolicy:RolePolicy"


def bound(environment: Program, kind: str) -> dict[str, set[str | None]]:
    """Return the groups that bindings of a kind name, each with the namespaces of the bindings."""
    found: dict[str, set[str | None]] = {}
    for each in of_kind(environment, kind):
        for subject in each.inputs["subjects"]:
            if subject["kind"] == "Group":
                found.setdefault(subject["name"], set()).add(each.inputs["metadata"].get("namespace"))
    return found


def groups(environment: Program) -> dict[str, Any]:
    """Return the groups of the access entries, by the entries' names."""
    return {each.name: each.inputs.get("kubernetesGroups") or [] for each in environment.of_type(ENTRY)}


def projects(environment: Program) -> list[Project]:
    found = find_projects(ROOT / "ml_workloads" / "projects")
    return [project for project in found if environment.stack in project.environments]


def test_every_group_that_is_bound_has_somebody_in_it(environment: Program):
    members = {group for each in groups(environment).values() for group in each}
    assert {*bound(environment, "RoleBinding"), *bound(environment, "ClusterRoleBinding")} <= members


def test_a_preview_is_in_no_group_that_changes_something(environment: Program):
    assert groups(environment)["access-ci-preview-entry"] == ["cluster-readers"]
    assert "cluster-readers" not in bound(environment, "RoleBinding")


def test_a_preview_reads_every_kind_that_the_program_declares(environment: Program):
    """`pulumi preview --refresh` in CI would fail at the first object that it may not read."""
    views = POLICIES["AmazonEKSViewPolicy"]
    declared = {(each.inputs["apiVersion"], each.inputs["kind"]) for each in objects(environment)}
    assert len(declared) > 15
    for version, kind in declared:
        group = version.rpartition("/")[0]
        plural = re.sub(r"s$", "se", re.sub(r"y$", "ie", kind.lower())) + "s"
        viewed = any(rule.allows("get", group, plural) for rule in views)
        assert viewed or plural in dict(READABLE).get(group, ()), f"{version} {kind}"


def test_a_teams_own_group_is_bound_in_namespaces_of_its_projects_alone(environment: Program):
    given = bound(environment, "RoleBinding")
    for team in environment.settings.cluster.teams:
        theirs = {project.namespace for project in projects(environment) if project.team == team}
        assert given.get(team_group(team), set()) == theirs
        assert not theirs & set(NAMESPACES)


def test_a_team_reads_the_accounts_of_its_projects_alone(environment: Program):
    read = {
        each.name: as_list(statement["Resource"])
        for each in environment.of_type(ROLE_POLICY)
        if each.name.startswith("workloads-people-")
        for statement in json.loads(each.inputs["policy"])["Statement"]
        if statement["Sid"] == "ReadSecrets"
    }
    here = projects(environment)
    accounts = {project.name: f"-mlflow-accounts-{project.name}-password" for project in here}
    expected = {f"workloads-people-team-{project.team}-secrets": set[str]() for project in here}
    for project in here:
        expected[f"workloads-people-team-{project.team}-secrets"].add(accounts[project.name])
    if here:
        expected["workloads-people-platform-secrets"] = {"/mlflow/accounts/*"}
    assert read.keys() == expected.keys()
    for name, arns in read.items():
        assert len(arns) == len(expected[name])
        assert all(any(arn.endswith(end) for arn in arns) for end in expected[name]), arns
