"""People's permissions on projects: for their own team's, for the platform team on all, and for nobody else."""

from typing import Any

import pytest

from tests.environments.rules.test_project_policies import DECRYPT, GET, KMS, OWN_SECRET, may, through_secrets
from tests.unit.ml_workloads.deployment.platforms import (
    ACCOUNT_SECRET,
    READER_SECRET,
    SECRETS,
    Deployed,
    deployed,
    project,
)

PUT, LOOK, DATA_KEY = "secretsmanager:PutSecretValue", "secretsmanager:DescribeSecret", "kms:GenerateDataKey"
RENT_ACCOUNT = f"{SECRETS}/mlflow/accounts/rent/password-AbCdEf"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


def both() -> Deployed:
    """Deploy a project of a team with a role, and one of a team without."""
    return deployed(project(), project(name="rent", team="housing"))


def policies(made: Deployed) -> dict[str, str]:
    """Return the policies of the roles that people assume."""
    return {
        each.inputs["role"]: each.inputs["policy"]
        for each in made.cloud.of_type(ROLE_POLICY)
        if each.name.startswith("workloads-people-")
    }


def promoters(made: Deployed, namespace: str) -> tuple[dict[str, Any], dict[str, Any]]:
    role, binding = (
        [
            each.inputs
            for each in made.kinds(kind)
            if (each.inputs["metadata"]["namespace"], each.inputs["metadata"]["name"]) == (namespace, "promotion")
        ]
        for kind in ("Role", "RoleBinding")
    )
    assert len(role) == len(binding) == 1
    return role[0], binding[0]


def test_the_lease_of_a_projects_promotions_is_its_teams_and_the_platforms():
    role, binding = promoters(both(), "growth-churn")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": role["metadata"]["name"],
    }
    assert [(each["kind"], each["name"]) for each in binding["subjects"]] == [
        ("Group", "platform"),
        ("Group", "team:growth"),
    ]


def test_no_other_lease_is_read_or_changed():
    role, _ = promoters(both(), "growth-churn")
    assert {(tuple(rule["apiGroups"]), tuple(rule["resources"])) for rule in role["rules"]} == {
        (("coordination.k8s.io",), ("leases",))
    }
    verbs = {tuple(rule.get("resourceNames", ())): set(rule["verbs"]) for rule in role["rules"]}
    assert verbs == {(): {"create"}, ("promotion",): {"get", "update"}}


def test_a_project_whose_team_has_no_role_is_deployed_and_left_to_the_platform():
    made = both()
    _, binding = promoters(made, "housing-rent")
    assert [each["name"] for each in binding["subjects"]] == ["platform"]
    assert set(policies(made)) == {"role-of-platform", "role-of-growth"}
    assert made.kind("Namespace", "housing-rent")


def test_a_team_without_a_project_is_given_nothing():
    made = deployed(project(name="rent", team="housing"))
    assert set(policies(made)) == {"role-of-platform"}


@pytest.mark.parametrize(
    ("role", "action", "secret", "allowed"),
    [
        ("growth", GET, ACCOUNT_SECRET, True),
        ("growth", GET, READER_SECRET, False),
        ("growth", GET, RENT_ACCOUNT, False),
        ("growth", GET, f"{SECRETS}/mlflow/admin-AbCdEf", False),
        ("growth", PUT, ACCOUNT_SECRET, False),
        ("growth", PUT, OWN_SECRET, True),
        ("growth", LOOK, OWN_SECRET, True),
        ("growth", GET, OWN_SECRET, False),
        ("growth", PUT, OWN_SECRET.replace("churn", "rent"), False),
        ("platform", GET, ACCOUNT_SECRET, True),
        ("platform", GET, RENT_ACCOUNT, True),
        ("platform", GET, f"{SECRETS}/mlflow/admin-AbCdEf", False),
        ("platform", PUT, OWN_SECRET, False),
        ("platform", GET, OWN_SECRET, False),
    ],
)
def test_secrets_are_read_to_sign_in_and_filled_by_their_team(role: str, action: str, secret: str, allowed: bool):
    assert may(policies(both())[f"role-of-{role}"], action, secret) is allowed


def test_the_key_is_used_by_secrets_manager_alone_and_for_accounts_or_projects_secrets():
    """The permission to read tells accounts apart: a key statement that lists them all would be too long."""
    growth, platform = (policies(both())[f"role-of-{role}"] for role in ("growth", "platform"))
    key = f"{KMS}/secrets"
    assert may(growth, DECRYPT, key, through_secrets(ACCOUNT_SECRET))
    assert may(growth, DATA_KEY, key, through_secrets(f"{SECRETS}/projects/churn/warehouse-AbCdEf"))
    assert not may(growth, DATA_KEY, key, through_secrets(ACCOUNT_SECRET))
    assert not may(growth, DECRYPT, key, through_secrets(f"{SECRETS}/mlflow/admin-AbCdEf"))
    assert not may(platform, DECRYPT, key, through_secrets(f"{SECRETS}/mlflow/admin-AbCdEf"))
    assert not may(platform, DATA_KEY, key, through_secrets(f"{SECRETS}/projects/churn/warehouse-AbCdEf"))
    assert may(platform, DECRYPT, key, through_secrets(RENT_ACCOUNT))
    for text in (growth, platform):
        assert not may(text, DECRYPT, key)
        assert not may(text, DECRYPT, key, {"kms:EncryptionContext:SecretARN": ACCOUNT_SECRET})


def test_a_team_whose_projects_have_no_secrets_fills_none():
    made = deployed(project(secrets=[], data={"source": {"type": "local", "path": "a.csv"}}))
    text = policies(made)["role-of-growth"]
    assert may(text, GET, ACCOUNT_SECRET)
    assert "PutSecretValue" not in text
