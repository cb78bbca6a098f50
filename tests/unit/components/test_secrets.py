"""Secrets Manager entries: names and rules, never values."""

from typing import Any

import pytest

from components.secrets import Secrets, SecretsArgs, secret_policy
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, PREFIX, SCOPE, given, statements

SECRET, POLICY = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"


def secrets(deploy: Deploy, *names: str, **changes: Any) -> tuple[Secrets, RecordingCloud]:
    return deploy(
        lambda: Secrets("secrets", SecretsArgs(account=ACCOUNT, prefix=PREFIX, names=names, key_arn=KEY, **changes))
    )


def test_entries_are_named_under_the_prefix_and_encrypted_with_the_given_key(deploy: Deploy):
    result, cloud = secrets(deploy, "mlflow/admin", "grafana/admin", recovery_window_days=7)
    assert {secret.inputs["name"] for secret in cloud.of_type(SECRET)} == {
        f"{PREFIX}/mlflow/admin",
        f"{PREFIX}/grafana/admin",
    }
    assert {secret.inputs["kmsKeyId"] for secret in cloud.of_type(SECRET)} == {KEY}
    assert {secret.inputs["recoveryWindowInDays"] for secret in cloud.of_type(SECRET)} == {7}
    assert set(result.secrets) == {"mlflow/admin", "grafana/admin"}


def test_no_resource_holds_a_value(deploy: Deploy):
    _, cloud = secrets(deploy, "mlflow/admin")
    assert {resource.typ for resource in cloud.resources} == {"mlops:index:Secrets", SECRET, POLICY}


def test_every_entry_denies_http_and_other_accounts(deploy: Deploy):
    _, cloud = secrets(deploy, "mlflow/admin")
    [policy] = cloud.of_type(POLICY)
    assert policy.inputs["blockPublicPolicy"] is True
    assert policy.inputs["policy"] == secret_policy(SCOPE, policy.inputs["secretArn"])


def test_the_policy_only_denies_so_that_iam_decides_who_reads():
    policy = statements(secret_policy(SCOPE, ARN))
    assert {statement["Effect"] for statement in policy.values()} == {"Deny"}
    assert {statement["Resource"] for statement in policy.values()} == {ARN}
    assert policy["DenyOtherAccounts"]["Condition"] == {
        "Bool": {"aws:PrincipalIsAWSService": "false"},
        "StringNotEquals": {"aws:PrincipalAccount": "123456789012"},
    }


@pytest.mark.parametrize("days", [0, 7, 30])
def test_recovery_windows_that_aws_takes_are_taken(days: int):
    args = SecretsArgs(account=ACCOUNT, prefix=PREFIX, names=(), key_arn=KEY, recovery_window_days=days)
    assert args.recovery_window_days == days


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recovery_window_days": 3}, "recovery_window_days must be 7 to 30, or 0 to delete at once, got 3"),
        ({"recovery_window_days": 31}, "got 31"),
        ({"names": ("MLflow/admin",)}, "names: 'MLflow/admin' is not a secret name.*such as 'mlflow/admin'"),
        ({"names": ("/mlflow",)}, "'/mlflow' is not a secret name"),
        ({"names": ("db-master",)}, "'db-master' ends with a dash and six characters"),
        ({"names": ("a/b", "a.b")}, "names: 'a/b' and 'a.b' differ in punctuation or case only: rename one"),
        ({"names": ("a/b", "a/b")}, "names names a/b more than once"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        SecretsArgs(**given({"account": ACCOUNT, "prefix": PREFIX, "names": ("x",), "key_arn": KEY}, changes))
