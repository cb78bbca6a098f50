"""Sign-in at MLflow with the secret that the environment names."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from moto import mock_aws

from ml_workloads.runtime import account as account_module
from ml_workloads.runtime.account import AccountError, RenewedAuth, sign_in


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch):
    names = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_AUTH", "TRACKING_ACCOUNT")
    for name in names:
        # Set first, so that what a sign-in sets is taken back at the end.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(account_module, "_PAUSE_SECONDS", 0.01)
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


@dataclass
class Server:
    """MLflow stub with one account, limited to passwords; it records requests with their password."""

    address: str = ""
    password: str = "first"
    asked: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list[bytes])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = base64.b64decode(str(self.headers["Authorization"]).removeprefix("Basic ")).decode()
            made.asked.append(given)
            right = given == f"churn:{made.password}"
            if right:
                made.bodies.append(body)
            said = (
                json.dumps({"run": {"info": {"run_id": "1"}, "data": {}}}).encode()
                if right
                else b"You are not authenticated."
            )
            self.send_response(200 if right else 401)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            """Suppress the log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        made.address = f"http://127.0.0.1:{listening.server_port}"
        yield made
        listening.shutdown()


def hold(password: str) -> None:
    value = json.dumps({"username": "churn", "password": password})
    boto3.client("secretsmanager").put_secret_value(SecretId="account", SecretString=value)


def test_mlflows_client_goes_on_when_the_password_is_another_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret(json.dumps({"username": "churn", "password": "first"}), monkeypatch)
    sign_in()
    client = MlflowClient(server.address, server.address)
    client.get_run("1")
    server.password = "second"
    hold("second")
    client.get_run("1")
    client.get_run("1")
    assert server.asked == ["churn:first", "churn:first", "churn:second", "churn:second"]


def test_a_secret_that_changes_only_after_mlflow_is_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    secret(json.dumps({"username": "churn", "password": "first"}), monkeypatch)
    sign_in()
    server.password = "second"
    timer = threading.Timer(0.3, hold, ("second",))
    timer.start()
    MlflowClient(server.address, server.address).get_run("1")
    timer.join()
    assert server.asked == ["churn:first", "churn:second"]


def test_a_password_that_stays_wrong_is_refused_after_a_while(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RenewedAuth.__init__, "__defaults__", (0.2,))
    secret(json.dumps({"username": "churn", "password": "wrong"}), monkeypatch)
    sign_in()
    with pytest.raises(MlflowException) as refused:
        MlflowClient(server.address, server.address).get_run("1")
    assert refused.value.get_http_status_code() == 401
    assert server.asked == ["churn:wrong"]


def test_a_file_is_sent_again_from_where_it_began(server: Server, tmp_path: Path) -> None:
    held = iter([("churn", "first"), ("churn", "second")])
    auth, path = RenewedAuth(lambda: next(held)), tmp_path / "file"
    path.write_bytes(b"header" + b"x" * 100_000)
    server.password = "second"
    with path.open("rb") as file:
        file.seek(6)
        assert requests.put(server.address, data=file, auth=auth, timeout=10).status_code == 200
    assert server.bodies == [b"x" * 100_000]


def test_what_cannot_be_sent_again_is_refused_and_not_sent_half(server: Server) -> None:
    auth = RenewedAuth(lambda: ("churn", "first"))
    server.password = "second"
    answer = requests.post(server.address, data=iter([]), auth=auth, timeout=10)
    assert (answer.status_code, server.bodies) == (401, [])


def test_many_threads_that_are_refused_read_the_secret_once(server: Server) -> None:
    reads: list[str] = []

    def read() -> tuple[str, str]:
        reads.append(server.password)
        return "churn", server.password

    auth, answers = RenewedAuth(read), list[int]()
    server.password = "second"

    def ask() -> None:
        answers.append(requests.get(server.address, auth=auth, timeout=10).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    assert reads == ["first", "second"]
