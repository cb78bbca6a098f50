"""Signing in at MLflow by the secret that the environment names."""

import json
import os

import boto3
import pytest
from moto import mock_aws

from ml_workloads.runtime.account import AccountError, sign_in


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "TRACKING_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def secret(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = boto3.client("secretsmanager").create_secret(Name="account", SecretString=value)
    monkeypatch.setenv("TRACKING_ACCOUNT", made["ARN"])


def test_the_secret_says_name_and_password(monkeypatch: pytest.MonkeyPatch):
    secret(json.dumps({"username": "churn", "password": "correct horse"}), monkeypatch)
    sign_in()
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "churn"
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "correct horse"


def test_without_a_secret_nothing_changes():
    sign_in()
    assert "MLFLOW_TRACKING_USERNAME" not in os.environ


@pytest.mark.parametrize("value", ["not JSON", "[]", '{"username": "churn"}'])
def test_what_is_no_account_is_refused_without_showing_it(value: str, monkeypatch: pytest.MonkeyPatch):
    secret(value, monkeypatch)
    with pytest.raises(AccountError, match="holds no username and password") as refused:
        sign_in()
    assert value not in str(refused.value)


def test_a_secret_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRACKING_ACCOUNT", "arn:aws:secretsmanager:us-east-1:123456789012:secret:nothing")
    with pytest.raises(AccountError, match="secret:nothing cannot be read"):
        sign_in()
