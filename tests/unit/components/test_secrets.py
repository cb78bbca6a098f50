"""Secrets Manager entries: names and rules, never values."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.secrets import Secrets, SecretsArgs, SecretSpec, secret_policy
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, PREFIX, SCOPE, given, statements

SECRET, POLICY = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretPolicy:SecretPolicy"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"


def secrets(deploy: Deploy, *names: str, **changes: Any) -> tuple[Secrets, RecordingCloud]:
    spec = SecretSpec(names=names, **changes)
    return deploy(lambda: Secrets("secrets", SecretsArgs(spec=spec, account=ACCOUNT, prefix=PREFIX, key_arn=KEY)))


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
    assert SecretSpec(recovery_window_days=days).recovery_window_days == days


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recovery_window_days": 6}, r"recovery_window_days\n.*write 0 \(deleted at once\) or 7 to 30"),
        ({"recovery_window_days": 31}, r"recovery_window_days\n.*write 0 \(deleted at once\) or 7 to 30"),
        ({"names": ("MLflow/admin",)}, r"names\.0\n.*write lower-case letters and digits, in words joined by - or /"),
        ({"names": ("/mlflow",)}, r"names\.0\n.*write lower-case letters and digits, in words joined by - or /"),
        ({"names": ("db-master",)}, r"names\.0\n.*do not end in a dash and six characters"),
        ({"names": ("a/b", "a-b")}, "names\n.*rename one of a/b and a-b, which differ in punctuation"),
        ({"names": ("a/b", "a/b")}, "names\n.*remove the repetition of a/b"),
    ],
)
def test_bad_settings_name_the_field_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        SecretSpec(**given({"names": ("x",)}, changes))


def test_a_prefix_that_no_service_takes_is_refused():
    with pytest.raises(ValueError, match="prefix must be 2 to 30 characters"):
        SecretsArgs(spec=SecretSpec(), account=ACCOUNT, prefix="x", key_arn=KEY)
