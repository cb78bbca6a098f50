"""KMS keys: one per purpose, rotated, and usable only by principals with a reason."""

from typing import Any

import pytest

from components.iam_documents import document
from components.keys import (
    Keys,
    KeysArgs,
    KeySpec,
    cluster_key_policy,
    data_key_policy,
    logs_key_policy,
    secrets_key_policy,
)
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, PREFIX, SCOPE, statements

POLICIES = {
    "secrets": secrets_key_policy,
    "cluster": cluster_key_policy,
    "data": data_key_policy,
    "logs": logs_key_policy,
}
KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"


def keys(deploy: Deploy, **changes: Any) -> tuple[Keys, RecordingCloud]:
    return deploy(lambda: Keys("keys", KeysArgs(spec=KeySpec(**changes), account=ACCOUNT, prefix=PREFIX)))


def test_every_key_rotates_and_can_be_recovered_for_a_while(deploy: Deploy):
    _, cloud = keys(deploy, rotation_days=90, deletion_window_days=7)
    assert {key.name for key in cloud.of_type(KEY)} == {f"keys-{purpose}" for purpose in POLICIES}
    for key in cloud.of_type(KEY):
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["rotationPeriodInDays"] == 90
        assert key.inputs["deletionWindowInDays"] == 7


def test_every_key_has_an_alias_that_starts_with_the_prefix(deploy: Deploy):
    _, cloud = keys(deploy)
    targets = {alias.inputs["name"]: alias.inputs["targetKeyId"] for alias in cloud.of_type(ALIAS)}
    assert targets == {f"alias/{PREFIX}-{purpose}": f"keys-{purpose}-key-id" for purpose in POLICIES}


def test_each_key_gets_the_policy_of_its_purpose(deploy: Deploy):
    _, cloud = keys(deploy)
    policies = {purpose: cloud.named(f"keys-{purpose}").inputs["policy"] for purpose in POLICIES}
    assert policies == {purpose: document(policy(SCOPE)) for purpose, policy in POLICIES.items()}


@pytest.mark.parametrize("policy", POLICIES.values())
def test_only_the_account_itself_administers_a_key(policy: Any):
    rendered = statements(document(policy(SCOPE)))
    assert rendered["AccountAdministration"]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    others = [statement for sid, statement in rendered.items() if sid != "AccountAdministration"]
    for statement in others:
        assert "kms:*" not in statement["Action"]
        assert "Service" in statement["Principal"] or "aws:PrincipalArn" in statement["Condition"]["ArnEquals"]


def test_nobody_but_auto_scaling_may_lend_the_data_key_to_volumes():
    lent = statements(document(data_key_policy(SCOPE)))["LendToVolumesOfNodes"]
    role = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    assert lent["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": role},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
    assert statements(document(data_key_policy(SCOPE)))["EncryptVolumesOfNodes"]["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": role}
    }


def test_log_groups_of_other_accounts_cannot_use_the_logs_key():
    rendered = statements(document(logs_key_policy(SCOPE)))["EncryptLogGroups"]
    assert rendered["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert rendered["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:123456789012:log-group:*"}
    }


def test_services_publish_to_encrypted_topics_for_this_account_only():
    rendered = statements(document(data_key_policy(SCOPE)))
    assert rendered["PublishFromThisAccount"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    events = rendered["PublishEventsToTopics"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert events["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": "arn:aws:sns:us-east-1:123456789012:*"}
    }


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("Ml-Platform", "prefix must be 2 to 30 characters.*got 'Ml-Platform'"),
        ("ml--platform", "single dashes.*got 'ml--platform'"),
        ("ml-platform-", "got 'ml-platform-'"),
        ("a" * 31, "2 to 30 characters"),
    ],
)
def test_prefixes_that_aws_refuses_are_refused_at_once(prefix: str, message: str):
    with pytest.raises(ValueError, match=message):
        KeysArgs(spec=KeySpec(), account=ACCOUNT, prefix=prefix)
