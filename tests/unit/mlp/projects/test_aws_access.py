"""The commands' AWS requests: the token is the one that EKS checks, and every rejection names the fix."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from mlp.console import PlainError
from mlp.projects.aws_access import AwsAccess, plain_aws_errors
from mlp.projects.environment import Environment
from tests.unit.mlp.local_account import LOCAL

ENVIRONMENT = Environment(
    name="dev", region="us-east-1", prefix="ml-platform-dev", cluster="ml-platform-dev-eks", teams=frozenset()
)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")


@pytest.mark.usefixtures("credentials")
def test_the_token_is_a_signed_question_who_calls_for_this_cluster_alone():
    token = AwsAccess(ENVIRONMENT).token()
    prefix, _, encoded = token.partition(".")
    assert prefix == "k8s-aws-v1"
    assert "=" not in encoded
    assert "planted" not in token
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = {name: value[0] for name, value in parse_qs(url.query).items()}
    assert (url.scheme, url.hostname) == ("https", "sts.us-east-1.amazonaws.com")
    assert (query["Action"], query["X-Amz-Expires"]) == ("GetCallerIdentity", "60")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Credential"].startswith("AKIAEXAMPLE/")


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("sandbox", "host"), [("/home/sandbox", "127.0.0.1"), (None, "foreign.invalid")], ids=["in the sandbox", "on AWS"]
)
def test_an_endpoint_of_one_service_holds_on_aws_and_never_in_the_sandbox(
    monkeypatch: pytest.MonkeyPatch, sandbox: str | None, host: str
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://foreign.invalid")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    if sandbox:
        monkeypatch.setenv(LOCAL, sandbox)
    else:
        monkeypatch.delenv(LOCAL, raising=False)
    url = AwsAccess(ENVIRONMENT).token().partition(".")[2]
    asked = urlsplit(base64.urlsafe_b64decode(url + "=" * (-len(url) % 4)).decode())
    assert asked.hostname == host
    assert "us-east-1" in parse_qs(asked.query)["X-Amz-Credential"][0]


@pytest.mark.usefixtures("account")
def test_a_cluster_that_is_not_there_says_what_deploys_it():
    with pytest.raises(PlainError, match=r"ml-platform-dev-eks is not there in us-east-1: .* `pulumi up --stack dev`"):
        AwsAccess(ENVIRONMENT).cluster()


@pytest.mark.usefixtures("account")
def test_a_secret_is_read_and_one_that_is_not_there_says_what_the_caller_says():
    client: Any = boto3.client("secretsmanager", region_name="us-east-1")
    client.create_secret(Name="there", SecretString=json.dumps({"username": "churn"}))
    access = AwsAccess(ENVIRONMENT)
    assert access.secret("there", "deploy it") == '{"username": "churn"}'
    with pytest.raises(PlainError, match=r"^deploy it$"):
        access.secret("gone", "deploy it")


def test_without_credentials_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(PlainError, match=r"no AWS credentials: sign in.*; or for a local account `local sign-in`"):
        _ = AwsAccess(ENVIRONMENT).caller


@pytest.mark.usefixtures("credentials")
def test_an_account_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(
        PlainError, match=r"AWS cannot be reached .*127\.0\.0\.1:1.*a local account is started with `local start`"
    ):
        _ = AwsAccess(ENVIRONMENT).caller


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "gone")
    with pytest.raises(PlainError, match="aws configure list-profiles"):
        AwsAccess(ENVIRONMENT)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", r"AWS does not accept the credentials \(ExpiredToken\): sign in"),
        ("AccessDeniedException", "GetSecretValue.*; assume a role that may: docs/projects.md"),
        ("ThrottlingException", "GetSecretValue failed with ThrottlingException: slower"),
    ],
)
def test_refusals_say_what_to_do(code: str, said: str):
    error: Any = {"Error": {"Code": code, "Message": "slower"}}
    with pytest.raises(PlainError, match=said), plain_aws_errors(ENVIRONMENT):
        raise ClientError(error, "GetSecretValue")
