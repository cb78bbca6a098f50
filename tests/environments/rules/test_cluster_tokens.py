"""EKS's authenticator accepts a token of the commands, for the cluster that the token was created for only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mlp.projects.aws_access import AwsAccess
from mlp.projects.environment import Environment
from mlp_sandbox.emulator.kubernetes_access.tokens import TokenError, presenter_of

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
def test_the_token_on_aws_says_who_presents_it():
    token = AwsAccess(ENVIRONMENT).token()
    assert presenter_of(token, ENVIRONMENT.cluster, datetime.now(UTC)).access_key == "AKIAEXAMPLE"


@pytest.mark.usefixtures("credentials")
def test_the_token_goes_where_the_environment_says_and_its_signature_holds_for_one_cluster(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    token = AwsAccess(ENVIRONMENT).token()
    assert presenter_of(token, ENVIRONMENT.cluster, datetime.now(UTC)).access_key == "sandbox"
    with pytest.raises(TokenError, match="made for a cluster other than"):
        presenter_of(token, "another", datetime.now(UTC))
