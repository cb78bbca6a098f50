"""The search detects holes: each is planted into an environment without any, and identified by its action."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mlp.recording import ACCOUNT
from mlp_sandbox.emulator.authorization.documents import parse
from tests.contract.programs import program
from tests.environments.rules.escalation.search import ways
from tests.environments.rules.escalation.trust import open_trusts
from tests.environments.rules.escalation.world import Principal, World, world

POD, DEPLOY = "platform-mlflow-server-pod-role", "identities-deploy"
ROLE, POLICY = f"arn:aws:iam::{ACCOUNT}:role", f"arn:aws:iam::{ACCOUNT}:policy"


def allow(*actions: str, on: str = "*", **conditions: Mapping[str, Any]) -> Any:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on, "Condition": conditions}
    return parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def planted(name: str, *policies: Any, bounded: bool = False) -> tuple[World, Principal]:
    """Add policies to a role, without its boundary, which would cancel them."""
    made = world(program("dev"))
    role = made.principals[name]
    changed = replace(role, policies=(*role.policies, *policies), boundary=role.boundary if bounded else None)
    return made.with_principal(changed), changed


def actions(made: World, principal: Principal) -> set[str]:
    return {way.action for way in ways(made, principal)}


@pytest.mark.parametrize(
    ("statement", "action"),
    [
        (allow("iam:PassRole"), "iam:PassRole"),
        (allow("iam:PassRole", on=f"{ROLE}/ml-platform-dev-*"), "iam:PassRole"),
        (allow("iam:CreatePolicyVersion", on=f"{POLICY}/ml-platform-dev-*"), "iam:CreatePolicyVersion"),
        (allow("iam:SetDefaultPolicyVersion"), "iam:SetDefaultPolicyVersion"),
        (allow("iam:PutRolePolicy", on=f"{ROLE}/ml-platform-dev-*"), "iam:PutRolePolicy"),
        (allow("iam:AttachRolePolicy"), "iam:AttachRolePolicy"),
        (allow("iam:UpdateAssumeRolePolicy", on=f"{ROLE}/ml-platform-dev-*"), "iam:UpdateAssumeRolePolicy"),
        (allow("iam:CreateRole", on=f"{ROLE}/ml-platform-dev-*"), "iam:CreateRole"),
        (allow("iam:DeleteRolePermissionsBoundary", on=f"{ROLE}/*"), "iam:DeleteRolePermissionsBoundary"),
        (allow("iam:PutRolePermissionsBoundary", on=f"{ROLE}/*"), "iam:PutRolePermissionsBoundary"),
        (allow("iam:CreateAccessKey"), "iam:CreateAccessKey"),
        (allow("iam:Add*"), "iam:AddUserToGroup"),
        (allow("iam:UpdateSAMLProvider"), "iam:UpdateSAMLProvider"),
        (allow("sts:AssumeRole", on=f"{ROLE}/ml-platform-*"), "sts:AssumeRole"),
        (allow("ssm:SendCommand"), "ssm:SendCommand"),
        (allow("lambda:*"), "lambda:UpdateFunctionCode"),
        (allow("eks:AssociateAccessPolicy"), "eks:AssociateAccessPolicy"),
        (allow("eks:CreatePodIdentityAssociation"), "eks:CreatePodIdentityAssociation"),
        (allow("secretsmanager:GetSecretValue"), "secretsmanager:GetSecretValue"),
        (allow("s3:Get*", on="arn:aws:s3:::*"), "s3:GetObject"),
        (allow("s3:PutBucketPolicy", on="arn:aws:s3:::ml-platform-dev-*"), "s3:PutBucketPolicy"),
        (allow("kms:PutKeyPolicy", StringEquals={"aws:ResourceTag/environment": "dev"}), "kms:PutKeyPolicy"),
        (allow("kms:CreateGrant"), "kms:CreateGrant"),
        (allow("kms:Decrypt"), "kms:Decrypt"),
        (
            allow("kms:TagResource", Null={"aws:ResourceTag/environment": "true"}),
            "kms:TagResource",
        ),
        (
            allow("ec2:CreateTags", Null={"aws:ResourceTag/environment": "true"}),
            "ec2:CreateTags",
        ),
        (allow("kms:ScheduleKeyDeletion"), "kms:ScheduleKeyDeletion"),
        (allow("rds:ModifyDBSnapshotAttribute"), "rds:ModifyDBSnapshotAttribute"),
        (allow("ecr:SetRepositoryPolicy"), "ecr:SetRepositoryPolicy"),
        (allow("ec2:RunInstances"), "ec2:RunInstances"),
        (allow("eks:DeleteCluster"), "eks:DeleteCluster"),
        (allow("rds:*"), "rds:ModifyDBInstance"),
        (allow("s3:PutObject", on="arn:aws:s3:::acme-ml-platform-dev-state/*"), "s3:PutObject"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planted_permission_is_found(statement: Any, action: str):
    made, role = planted(POD, statement)
    assert action in actions(made, role)
    assert action not in actions(*planted(POD))


@pytest.mark.parametrize(
    "statement",
    [
        allow("*"),
        allow("iam:PassRole"),
        allow("s3:*", on="arn:aws:s3:::acme-ml-platform-dev-state/*"),
        allow("secretsmanager:*"),
        allow("sts:AssumeRole"),
    ],
    ids=["everything", "PassRole", "state", "secrets", "AssumeRole"],
)
def test_the_boundary_takes_a_planted_permission_back(statement: Any):
    made, role = planted(POD, statement, bounded=True)
    assert ways(made, role) == set()


@pytest.mark.parametrize(
    "careless",
    [allow("*"), allow("iam:*", "sts:*", "s3:GetObject", "secretsmanager:*")],
    ids=["everything", "much"],
)
def test_the_deploy_roles_denials_hold_whatever_is_granted_later(careless: Any):
    """A grant of everything also opens actions beyond IAM, secrets, data and state; the search finds those."""
    made, deploy = planted(DEPLOY, careless)
    denied = ("iam:Create", "iam:Put", "iam:Attach", "iam:Delete", "iam:Set", "sts:", "s3:GetObject")
    found = {way for way in ways(made, deploy) if way.action.startswith((*denied, "secretsmanager:GetSecretValue"))}
    assert found == set()


def test_a_wider_boundary_is_found_by_way_of_the_roles_that_the_deploy_role_writes():
    made = world(program("dev"))
    role = made.principals[POD]
    wide = replace(role, boundary=allow("*"))
    found = ways(made.with_principal(wide), made.principals[DEPLOY])
    assert {way.by for way in found} >= {f"{DEPLOY} by way of any role"}


def condition(**tests: Mapping[str, Any]) -> dict[str, Any]:
    return {"Condition": tests}


@pytest.mark.parametrize(
    ("principal", "more", "wrong"),
    [
        ("*", {}, "everybody"),
        ({"AWS": "*"}, {}, "everybody of kind AWS"),
        ({"AWS": "arn:aws:iam::999999999999:root"}, {}, "not of this account"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {}, "without a second factor or a tag"),
        ({"Service": "pods.eks.amazonaws.com"}, {}, "on behalf of any account"),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/x"}, {}, "whoever"),
        (
            {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/x"},
            condition(StringLike={"x:sub": "repo:acme/ml-platform:*"}),
            "whoever",
        ),
    ],
)
def test_a_planted_trust_is_found(principal: Any, more: dict[str, Any], wrong: str):
    made = world(program("dev"))
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    changed = replace(made.principals[POD], trust={"Statement": [statement]})
    assert wrong in open_trusts(made.with_principal(changed))[POD]


@pytest.mark.parametrize(
    ("statement", "action"),
    [
        (allow("s3:PutObject"), "s3:PutObject"),
        (allow("s3:DeleteObject", on="arn:aws:s3:::ml-platform-dev-*"), "s3:DeleteObject"),
        (allow("iam:PassRole"), "iam:PassRole"),
        (allow("ecr:PutImage"), "ecr:PutImage"),
    ],
    ids=["state", "data", "roles", "images"],
)
def test_a_preview_that_writes_is_found(statement: Any, action: str):
    made, role = planted("identities-preview", statement)
    assert action in actions(made, role)
    assert actions(*planted("identities-preview")) == set()


@pytest.mark.parametrize(
    ("statement", "action"),
    [
        (allow("ecr:PutImage"), "ecr:PutImage"),
        (allow("ecr:BatchDeleteImage", on="arn:aws:ecr:*:*:repository/ml-platform-dev/*"), "ecr:BatchDeleteImage"),
        (allow("ecr:SetRepositoryPolicy"), "ecr:SetRepositoryPolicy"),
        (allow("secretsmanager:GetSecretValue"), "secretsmanager:GetSecretValue"),
    ],
    ids=["others' images", "deletion", "policies", "secrets"],
)
def test_a_push_role_that_does_more_is_found(statement: Any, action: str):
    made, role = planted("identities-push", statement)
    assert action in actions(made, role)
    assert actions(*planted("identities-push")) == set()
