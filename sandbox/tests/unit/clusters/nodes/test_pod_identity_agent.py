"""Answers of the Pod Identity agent."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from mlp_sandbox.clusters.nodes.real.pod_identity_agent import answer, server

FOUND = {
    "credentials": {
        "accessKeyId": "ASIAX",
        "secretAccessKey": "very-secret",
        "sessionToken": "session",
        "expiration": datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
    },
    "podIdentityAssociation": {"associationArn": "arn:aws:eks:us-east-1:123456789012:podidentityassociation/ml/a-1"},
}


def refusing(code: str, status: int) -> Any:
    def exchange(token: str) -> Mapping[str, Any]:
        raise ClientError(
            {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Assume"
        )

    return exchange


def test_a_token_becomes_credentials_in_the_form_that_sdks_read() -> None:
    tokens: list[str] = []

    def exchange(token: str) -> Mapping[str, Any]:
        tokens.append(token)
        return FOUND

    found = answer("/v1/credentials", "eyJ0", exchange)
    assert tokens == ["eyJ0"]
    assert found.status == 200
    assert found.body == {
        "AccessKeyId": "ASIAX",
        "SecretAccessKey": "very-secret",
        "Token": "session",
        "AccountId": "123456789012",
        "Expiration": "2030-01-02T03:04:05Z",
    }


@pytest.mark.parametrize(
    ("code", "status"), [("ResourceNotFoundException", 404), ("AccessDeniedException", 403), ("ExpiredToken", 400)]
)
def test_what_the_api_refuses_is_passed_on_with_its_status(code: str, status: int) -> None:
    found = answer("/v1/credentials", "eyJ0", refusing(code, status))
    assert (found.status, found.body["code"]) == (status, code)


def test_an_api_that_does_not_answer_is_a_reason_to_ask_again() -> None:
    def exchange(token: str) -> Mapping[str, Any]:
        raise EndpointConnectionError(endpoint_url="http://198.18.0.1")

    assert answer("/v1/credentials", "eyJ0", exchange).status == 503


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/", "eyJ0", 404),
        ("/v1/credentials", None, 400),
        ("/v1/credentials", "", 400),
        ("/v1/credentials", "x" * 20000, 400),
    ],
)
def test_a_request_that_is_none_reaches_no_api(path: str, token: str | None, status: int) -> None:
    def exchange(token: str) -> Mapping[str, Any]:
        raise AssertionError("asked")

    assert answer(path, token, exchange).status == status


def test_its_log_holds_neither_tokens_nor_keys(capfd: pytest.CaptureFixture[str]) -> None:
    def exchange(token: str) -> Mapping[str, Any]:
        if token == "good-token":
            return FOUND
        raise ClientError({"Error": {"Code": "InvalidTokenException", "Message": "bad"}}, "Assume")

    serving = server(("127.0.0.1", 0), exchange)
    threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{serving.socket.getsockname()[1]}/v1/credentials"
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        good = urllib.request.Request(url, headers={"Authorization": "good-token"})
        assert json.load(opener.open(good))["Token"] == "session"
        with pytest.raises(urllib.error.HTTPError):
            opener.open(urllib.request.Request(url, headers={"Authorization": "bad-token"}))
    finally:
        serving.shutdown()
        serving.server_close()
    said = capfd.readouterr().err
    assert "InvalidTokenException" in said
    for secret in ("good-token", "bad-token", "very-secret", "session"):
        assert secret not in said
