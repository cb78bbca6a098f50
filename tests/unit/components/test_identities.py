"""The CI identities as resources: provider, roles, policies, attachments."""

import json
from typing import Any

import pytest

from components.ci.identities import (
    DEPLOY_POLICIES,
    PREVIEW_POLICIES,
    PUSH_POLICIES,
    SHARED_POLICIES,
    Identities,
    IdentitiesArgs,
)
from components.ci.trust import deploy_trust, preview_trust, push_trust
from mlp.recording import Deploy, RecordingCloud

from .ci_roles import identity_spec
from .policies import ACCOUNT, PREFIX, given

PROVIDER, ROLE = "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/role:Role"
POLICY, ATTACHMENT = "aws:iam/policy:Policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
SHARED_PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def args(**changes: Any) -> IdentitiesArgs:
    return IdentitiesArgs(
        **given(
            {
                "spec": identity_spec(),
                "account": ACCOUNT,
                "prefix": PREFIX,
                "resource_tags": {"environment": "test"},
                "vpc_id": "vpc-own",
            },
            changes,
        )
    )


def identities(deploy: Deploy, **changes: Any) -> tuple[Identities, RecordingCloud]:
    return deploy(lambda: Identities("ci", args(**changes)))


def attached(cloud: RecordingCloud, role: str) -> set[str]:
    arns = {item.inputs["policyArn"] for item in cloud.of_type(ATTACHMENT) if item.inputs["role"] == role}
    return {policy.inputs["name"] for policy in cloud.of_type(POLICY) if f"arn:aws:mock:::{policy.name}" in arns}


def test_the_provider_accepts_tokens_for_sts_only(deploy: Deploy):
    _, cloud = identities(deploy)
    [provider] = cloud.of_type(PROVIDER)
    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]


def test_an_account_that_has_the_provider_keeps_its_own(deploy: Deploy):
    spec = identity_spec(oidc_provider="existing")
    _, cloud = identities(deploy, spec=spec)
    assert cloud.of_type(PROVIDER) == []
    trusts = {role.name: role.inputs["assumeRolePolicy"] for role in cloud.of_type(ROLE)}
    assert trusts == {
        "ci-preview": preview_trust(SHARED_PROVIDER, spec),
        "ci-deploy": deploy_trust(SHARED_PROVIDER, spec),
        "ci-push": push_trust(SHARED_PROVIDER, spec),
    }


def test_workflows_find_the_roles_by_name_and_sessions_are_short(deploy: Deploy):
    _, cloud = identities(deploy)
    assert {role.inputs["name"] for role in cloud.of_type(ROLE)} == {
        f"{PREFIX}-ci-{kind}" for kind in ("preview", "deploy", "push")
    }
    assert {role.inputs["maxSessionDuration"] for role in cloud.of_type(ROLE)} == {3600}


def test_each_role_gets_its_policies_and_no_others(deploy: Deploy):
    _, cloud = identities(deploy)
    assert attached(cloud, f"{PREFIX}-ci-preview") == {f"{PREFIX}-ci-{key}" for key in PREVIEW_POLICIES}
    assert attached(cloud, f"{PREFIX}-ci-deploy") == {
        f"{PREFIX}-ci-{key}" for key in (*SHARED_POLICIES, *DEPLOY_POLICIES)
    }
    assert attached(cloud, f"{PREFIX}-ci-push") == {f"{PREFIX}-ci-push-images"}


def test_every_policy_fits_with_the_longest_names(deploy: Deploy):
    _, cloud = identities(
        deploy,
        prefix="machine-learning-platform-prod",
        resource_tags={"project": "machine-learning-platform", "environment": "production"},
        spec=identity_spec(state_bucket="b" * 63, state_key_alias="alias/" + "k" * 60),
    )
    sizes = {policy.name: len(policy.inputs["policy"]) for policy in cloud.of_type(POLICY)}
    assert max(sizes.values()) <= 6144, sizes
    assert len(sizes) == len(PREVIEW_POLICIES) + len(DEPLOY_POLICIES) + len(PUSH_POLICIES)


def test_policies_are_json_of_the_current_language_version(deploy: Deploy):
    _, cloud = identities(deploy)
    assert {json.loads(policy.inputs["policy"])["Version"] for policy in cloud.of_type(POLICY)} == {"2012-10-17"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resource_tags": {}}, "resource_tags must name the default tags"),
        ({"prefix": "ML"}, "prefix must be 2 to 30 characters"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        args(**changes)
