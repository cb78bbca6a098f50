"""Roles, policies and OpenID Connect providers through their life."""

from __future__ import annotations

import itertools
import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.iam import policies, roles
from mlp_sandbox.providers.aws.services.iam.policies import Policy, RolePolicy, RolePolicyAttachment
from mlp_sandbox.providers.aws.services.iam.roles import OpenIdConnectProvider, Role
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

ISSUER = "https://token.actions.githubusercontent.com"


def policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


TRUST = policy(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
READ = policy(Action="s3:GetObject", Resource="*")
LIST = policy(Action="s3:ListBucket", Resource="*")
ROLE = {"name": "node", "assumeRolePolicy": TRUST}


@pytest.mark.parametrize("handler", [*roles.HANDLERS, *policies.HANDLERS], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs([*roles.HANDLERS, *policies.HANDLERS]) == {
        "Role": {"name", "namePrefix", "path"},
        "OpenIdConnectProvider": {"url"},
        "Policy": {"name", "namePrefix", "description", "path"},
        "RolePolicy": {"name", "namePrefix", "role"},
        "RolePolicyAttachment": {"policyArn", "role"},
    }


@mock_aws
def test_a_role_changes_trust_session_boundary_and_tags_in_place() -> None:
    boundary = Life(Policy()).create(name="boundary", policy=READ)
    full = {
        **ROLE,
        "path": "/mlops/",
        "description": "nodes",
        "maxSessionDuration": 7200,
        "permissionsBoundary": boundary,
        "tags": {"team": "ml"},
    }
    changed = {
        **full,
        "assumeRolePolicy": TRUST.replace("ec2.", "eks."),
        "description": "pods",
        "tags": {"owner": "platform"},
    }
    bare = {**ROLE, "path": "/mlops/"}
    assert Life(Role()).lives(full, changed, bare) == "node"


@mock_aws
def test_a_role_with_policies_is_deleted_only_when_told_to_detach() -> None:
    life = Life(Role())
    role = life.create(**ROLE)
    Life(RolePolicy()).create(role=role, name="inline", policy=READ)
    managed = Life(Policy()).create(name="managed", policy=READ)
    Life(RolePolicyAttachment()).create(role=role, policyArn=managed)
    with pytest.raises(ClientError, match="DeleteConflict"):
        life.delete(role, **ROLE)
    life.delete(role, **ROLE, forceDetachPolicies=True)
    assert life.read(role) is None


@mock_aws
def test_a_role_leaves_its_instance_profiles_when_deleted() -> None:
    life, client = Life(Role()), boto3.client("iam")
    role = life.create(**ROLE)
    client.create_instance_profile(InstanceProfileName="nodes")
    client.add_role_to_instance_profile(InstanceProfileName="nodes", RoleName=role)
    life.delete(role, **ROLE)
    assert client.get_instance_profile(InstanceProfileName="nodes")["InstanceProfile"]["Roles"] == []


def test_policies_written_into_a_role_are_refused_with_the_resource_to_use() -> None:
    problems = dict(Role().check({**ROLE, "inlinePolicies": [], "managedPolicyArns": [], "maxSessionDuration": 60}))
    assert "aws.iam.RolePolicy " in problems["inlinePolicies"]
    assert "aws.iam.RolePolicyAttachment" in problems["managedPolicyArns"]
    assert problems["maxSessionDuration"] == "is 60: give a number from 3600 to 43200"


def test_a_trust_policy_that_is_not_json_is_refused() -> None:
    assert Role().check({"name": "node", "assumeRolePolicy": "{"})[0][0] == "assumeRolePolicy"


@mock_aws
def test_a_managed_policy_changes_its_document_and_tags_in_place() -> None:
    inputs = {"name": "data", "policy": READ, "path": "/mlops/", "description": "d", "tags": {"a": "1"}}
    id = Life(Policy()).lives(inputs, {**inputs, "policy": LIST, "tags": {"b": "2"}})
    assert id == "arn:aws:iam::123456789012:policy/mlops/data"


@mock_aws
def test_a_policy_changed_many_times_keeps_at_most_five_versions() -> None:
    life = Life(Policy())
    documents = [policy(Action=f"s3:{number}", Resource="*") for number in range(8)]
    id = life.create(name="data", policy=documents[0])
    for old, new in itertools.pairwise(documents):
        life.update(id, {"name": "data", "policy": old}, {"name": "data", "policy": new})
    versions = boto3.client("iam").list_policy_versions(PolicyArn=id)["Versions"]
    assert len(versions) <= 5
    assert json.loads(life.live(id)["policy"]) == json.loads(documents[-1])
    life.delete(id)
    assert life.read(id) is None


@mock_aws
def test_a_document_that_means_the_same_keeps_the_words_of_the_program() -> None:
    spaced = json.dumps(json.loads(READ), indent=2)
    life = Life(Policy())
    id = life.create(name="data", policy=spaced)
    assert life.live(id, policy=spaced)["policy"] == spaced


@mock_aws
def test_an_inline_policy_changes_in_place() -> None:
    role = Life(Role()).create(**ROLE)
    inputs = {"role": role, "name": "inline", "policy": READ}
    assert Life(RolePolicy()).lives(inputs, {**inputs, "policy": LIST}) == "node:inline"


@mock_aws
def test_an_attachment_is_gone_once_detached_or_its_role_deleted() -> None:
    role, other = Life(Role()).create(**ROLE), Life(Role()).create(name="other", assumeRolePolicy=TRUST)
    arn = Life(Policy()).create(name="data", policy=READ)
    life = Life(RolePolicyAttachment())
    assert life.lives({"role": role, "policyArn": arn}) == f"node/{arn}"
    id = life.create(role=other, policyArn=arn)
    Life(Role()).delete(other, forceDetachPolicies=True)
    assert life.read(id) is None
    life.delete(id)


@mock_aws
def test_an_import_id_of_another_form_is_refused_with_the_form() -> None:
    with pytest.raises(ValueError, match="<role name>:<policy name>"):
        Life(RolePolicy()).read("node")


@mock_aws
def test_an_openid_provider_changes_thumbprints_and_tags_in_place() -> None:
    inputs = {"url": ISSUER, "clientIdLists": ["sts.amazonaws.com"], "thumbprintLists": ["a" * 40], "tags": {"a": "1"}}
    id = Life(OpenIdConnectProvider()).lives(inputs, {**inputs, "thumbprintLists": ["b" * 40], "tags": {"b": "2"}})
    assert id == "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


@mock_aws
def test_an_openid_provider_without_thumbprints_shows_no_drift() -> None:
    Life(OpenIdConnectProvider()).lives({"url": ISSUER, "clientIdLists": ["sts.amazonaws.com"]})


def test_an_issuer_without_https_is_refused() -> None:
    assert OpenIdConnectProvider().check({"url": "accounts.example.com"})[0][0] == "url"
