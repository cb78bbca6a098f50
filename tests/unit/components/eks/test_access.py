"""Access to the cluster: access entries and their policies."""

import json
from typing import Any

import pytest

from components.eks.access import PLATFORM, READERS, TEAMS, Access, AccessArgs, team_group
from components.eks.access_spec import SignInSpec, TeamSpec
from mlp.recording import Deploy, RecordingCloud
from tests.unit.components.eks.specs import refusal
from tests.unit.components.policies import ACCOUNT, PREFIX, SCOPE, statements

ENTRY = "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
MFA = SignInSpec()


def access(deploy: Deploy, sign_in: SignInSpec = MFA, **teams: TeamSpec) -> tuple[Access, RecordingCloud]:
    return deploy(
        lambda: Access(
            "access",
            AccessArgs(
                account=ACCOUNT,
                prefix=PREFIX,
                cluster_name=f"{PREFIX}-eks",
                cluster=f"{PREFIX}-eks",
                deploy_role_arn="arn:deploy",
                preview_role_arn="arn:preview",
                platform_namespaces=("ml-platform", "vision-*"),
                sign_in=sign_in,
                teams=teams,
            ),
        )
    )


def granted(cloud: RecordingCloud) -> dict[str, list[tuple[str, Any]]]:
    """Return, by principal, the names of policies with their scopes."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for each in cloud.of_type(ASSOCIATION):
        policy = (each.inputs["policyArn"].rpartition("/")[2], each.inputs["accessScope"])
        found.setdefault(each.inputs["principalArn"], []).append(policy)
    return found


def test_a_team_gets_its_policy_in_its_namespaces_only(deploy: Deploy):
    _, cloud = access(deploy, vision=TeamSpec(namespaces=("vision", "vision-*"), policy="edit"))
    assert granted(cloud)["arn:aws:mock:::access-team-vision"] == [
        ("AmazonEKSEditPolicy", {"type": "namespace", "namespaces": ["vision", "vision-*"]})
    ]


def test_the_platforms_team_administers_its_namespaces_and_looks_at_the_others(deploy: Deploy):
    _, cloud = access(deploy)
    given = sorted(granted(cloud)["arn:aws:mock:::access-platform"], key=str)
    assert given == [
        ("AmazonEKSAdminPolicy", {"type": "namespace", "namespaces": ["ml-platform", "vision-*"]}),
        ("AmazonEKSViewPolicy", {"type": "cluster"}),
    ]


@pytest.mark.parametrize(
    ("sign_in", "conditions"),
    [
        (SignInSpec(), {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        (
            SignInSpec(mfa=False, principal_tags={"team": "ml"}),
            {"StringEquals": {"aws:PrincipalTag/team": "ml"}},
        ),
        (
            SignInSpec(principal_tags={"team": "ml"}),
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"aws:PrincipalTag/team": "ml"}},
        ),
    ],
)
def test_people_show_who_they_are_before_they_get_a_role(deploy: Deploy, sign_in: SignInSpec, conditions: Any):
    _, cloud = access(deploy, sign_in, vision=TeamSpec(namespaces=("vision",)))
    roles = cloud.of_type("aws:iam/role:Role")
    assert len(roles) == 3
    for role in roles:
        [statement] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert statement["Condition"] == conditions


def test_a_sign_in_that_demands_nothing_is_refused():
    assert "every principal of the account could assume the roles" in refusal(SignInSpec, {"mfa": False})


def test_only_administrators_and_deployments_administer_the_cluster(deploy: Deploy):
    _, cloud = access(deploy, vision=TeamSpec(namespaces=("vision",), policy="admin"))
    administrators = {who for who, given in granted(cloud).items() if "AmazonEKSClusterAdminPolicy" in dict(given)}
    assert administrators == {"arn:aws:mock:::access-admin", "arn:deploy"}


def test_a_preview_views_and_sees_no_secrets(deploy: Deploy):
    """AmazonEKSAdminViewPolicy would show them, and a preview runs code of pull requests."""
    _, cloud = access(deploy)
    assert granted(cloud)["arn:preview"] == [("AmazonEKSViewPolicy", {"type": "cluster"})]
    assert cloud.named("access-ci-preview-entry").inputs["kubernetesGroups"] == [READERS]


def test_a_team_is_in_a_group_of_its_own_and_in_that_of_all_teams(deploy: Deploy):
    made, cloud = access(
        deploy, vision=TeamSpec(namespaces=("vision",)), text=TeamSpec(namespaces=("text",), policy="admin")
    )
    for team in ("vision", "text"):
        groups = cloud.named(f"access-team-{team}-entry").inputs["kubernetesGroups"]
        assert groups == [READERS, TEAMS, team_group(team)]
    assert cloud.named("access-platform-entry").inputs["kubernetesGroups"] == [READERS, PLATFORM]
    assert set(made.group_roles) == {PLATFORM, team_group("vision"), team_group("text")}


def test_a_team_that_may_only_look_is_given_nothing_to_promote_with(deploy: Deploy):
    made, cloud = access(deploy, guests=TeamSpec(namespaces=("vision",), policy="view"))
    assert cloud.named("access-team-guests-entry").inputs["kubernetesGroups"] == [READERS]
    assert set(made.group_roles) == {PLATFORM}


def test_no_group_has_a_name_that_eks_refuses():
    """https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html"""
    for group in (READERS, TEAMS, PLATFORM, team_group("system")):
        assert not group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:"))


def test_every_policy_is_given_to_an_entry_that_exists(deploy: Deploy):
    _, cloud = access(deploy, vision=TeamSpec(namespaces=("vision",)))
    entries = {each.inputs["principalArn"]: each.urn for each in cloud.of_type(ENTRY)}
    assert {each.inputs["type"] for each in cloud.of_type(ENTRY)} == {"STANDARD"}
    for each in cloud.of_type(ASSOCIATION):
        assert entries[each.inputs["principalArn"]] in each.depends_on


def test_roles_are_called_what_people_type_and_find_the_cluster_and_nothing_else(deploy: Deploy):
    made, cloud = access(deploy, vision=TeamSpec(namespaces=("vision",)))
    assert set(made.roles) == {"admin", "platform", "team-vision"}
    names = {each.inputs["name"] for each in cloud.of_type("aws:iam/role:Role")}
    assert names == {f"{PREFIX}-cluster-{purpose}" for purpose in made.roles}
    for each in cloud.of_type("aws:iam/rolePolicy:RolePolicy"):
        [allowed] = statements(each.inputs["policy"]).values()
        assert (allowed["Action"], allowed["Resource"]) == (
            "eks:DescribeCluster",
            SCOPE.arn("eks", f"cluster/{PREFIX}-eks"),
        )
    trusts = [json.loads(each.inputs["assumeRolePolicy"]) for each in cloud.of_type("aws:iam/role:Role")]
    assert {each["Statement"][0]["Principal"]["AWS"] for each in trusts} == {SCOPE.root}


@pytest.mark.parametrize("namespaces", [(), ("*",), ("Vision",), ("**",), ("-x",)])
def test_a_team_of_all_or_of_no_namespaces_is_refused(namespaces: tuple[str, ...]):
    assert "namespaces" in refusal(TeamSpec, {"namespaces": namespaces})
