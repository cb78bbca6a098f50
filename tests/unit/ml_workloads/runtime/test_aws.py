"""AWS calls wait for credentials that come late; AWS's rejections are reported at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from moto import mock_aws

from ml_workloads.runtime import aws
from ml_workloads.runtime.account import sign_in
from ml_workloads.runtime.errors import PlatformError

CREDENTIALS = {
    "AccessKeyId": "testing",
    "SecretAccessKey": "testing",
    "Token": "testing",
    "Expiration": "2999-01-01T00:00:00Z",
}


@contextmanager
def pod_identity(monkeypatch: pytest.MonkeyPatch, failures: int) -> Generator[list[str]]:
    """Run an agent that fails a number of times before it returns credentials; yields its requests."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(CREDENTIALS).encode()
            self.send_response(200 if len(asked) > failures else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    without_credentials(monkeypatch)
    address = f"http://127.0.0.1:{server.server_port}/v1/credentials"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_credentials_that_come_late_are_waited_for(monkeypatch: pytest.MonkeyPatch):
    with pod_identity(monkeypatch, failures=4) as asked:
        found = aws.patiently("sign in", lambda: aws.client("sts").meta.region_name, seconds=60)
    assert found == "us-east-1"
    assert len(asked) == 5


def test_credentials_that_do_not_come_are_the_platforms_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRACKING_ACCOUNT", "account")
    with (
        pod_identity(monkeypatch, failures=400),
        pytest.raises(PlatformError, match=r"could not read the secret s within 0 s: .*container-role"),
    ):
        aws.secret("s", seconds=0)
    with (
        pod_identity(monkeypatch, failures=400),
        pytest.raises(PlatformError, match="could not read the secret account within 0 s"),
    ):
        sign_in()


def test_without_credentials_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    without_credentials(monkeypatch)
    with pytest.raises(PlatformError, match="a pod gets its credentials from EKS Pod Identity when it starts"):
        aws.secret("s", seconds=600)


def test_a_refusal_comes_at_once(monkeypatch: pytest.MonkeyPatch):
    without_credentials(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws(), pytest.raises(aws.REFUSALS, match="ResourceNotFoundException"):
        aws.secret("gone", seconds=600)
