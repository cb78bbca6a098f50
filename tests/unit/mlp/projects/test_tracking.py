"""Sign-in at MLflow: with the project's account, in this process only, and with clear messages on failure."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import mlflow.environment_variables
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException

from mlp.console import PlainError
from mlp.projects.port_forward import PortForward
from mlp.projects.tracking import account, check, environment_variables, plain_mlflow_errors, variables
from tests.unit.mlp.projects.model_servers import answering


def session(held: str) -> Any:
    aws = SimpleNamespace(secret=lambda _name, _absent: held)
    place = SimpleNamespace(account_secret="ml-platform-dev/mlflow/accounts/churn")
    return cast(Any, SimpleNamespace(aws=aws, place=place, deploy="`pulumi up --stack dev`"))


def test_user_and_password_come_from_the_projects_secret():
    assert account(session('{"username": "churn", "password": "planted"}')) == ("churn", "planted")


@pytest.mark.parametrize("held", ["planted", "{}", '{"username": "planted"}', "[]"])
def test_a_secret_that_holds_something_else_is_named_but_not_shown(held: str):
    with pytest.raises(PlainError, match="ml-platform-dev/mlflow/accounts/churn does not hold username") as refused:
        account(session(held))
    assert "planted" not in str(refused.value)


def test_the_password_is_in_this_process_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "of the shell")
    monkeypatch.setenv("NO_PROXY", "example.com")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)

    def interrupted() -> None:
        with environment_variables(variables("http://127.0.0.1:5000", "churn", "planted")):
            assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "planted"
            assert os.environ["NO_PROXY"] == "example.com,127.0.0.1"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "MLFLOW_TRACKING_PASSWORD" not in os.environ
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "of the shell"
    assert os.environ["NO_PROXY"] == "example.com"


FOREIGN = "http://foreign.invalid"
# What the commands do not use: Databricks' file system, and the number of one of its jobs.
ELSEWHERE = {"DISABLE_MLFLOWDBFS", "SERVERLESS_GPU_COMPUTE_ASSOCIATED_JOB_RUN_ID"}


def test_no_setting_of_mlflow_reaches_the_commands_from_the_shell(monkeypatch: pytest.MonkeyPatch):
    settings = {
        value.name
        for value in vars(mlflow.environment_variables).values()
        if isinstance(value, mlflow.environment_variables._EnvironmentVariable)
    }
    assert len(settings) > 250
    for name in settings:
        monkeypatch.setenv(name, FOREIGN)
    ours = variables("http://127.0.0.1:5000", "churn", "planted")
    with environment_variables(ours):
        reached = {name for name in settings if os.environ.get(name) == FOREIGN}
        os.environ["MLFLOW_REGISTRY_URI"] = os.environ["MLFLOW_RUN_ID"] = "set by MLflow itself"
    assert reached == ELSEWHERE
    assert {os.environ[name] for name in settings} == {FOREIGN}


def test_what_mlflow_sets_meanwhile_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    with environment_variables({}):
        os.environ["MLFLOW_REGISTRY_URI"] = FOREIGN
    assert "MLFLOW_REGISTRY_URI" not in os.environ


class Asked(BaseHTTPRequestHandler):
    """Handler that records requests with their account, and has no models."""

    seen: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served() -> Generator[tuple[int, list[tuple[str, str]]]]:
    """Serve with a separate handler class, so that each server records its own requests."""
    seen: list[tuple[str, str]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Own", (Asked,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()


def test_the_password_goes_to_the_environments_mlflow_and_nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Neither variables nor the files that requests and MLflow read can redirect it or change the account."""
    (tmp_path / ".netrc").write_text("default login foreign password foreign\n")
    (tmp_path / ".mlflow").mkdir()
    (tmp_path / ".mlflow" / "credentials").write_text(
        "[mlflow]\nmlflow_tracking_username = foreign\nmlflow_tracking_password = foreign\n"
    )
    with served() as (port, seen), served() as (foreign_port, foreign):
        for name in (
            "MLFLOW_REGISTRY_URI",
            "MLFLOW_TRACKING_URI",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ):
            monkeypatch.setenv(name, f"http://127.0.0.1:{foreign_port}")
        for name, value in {
            "MLFLOW_TRACKING_TOKEN": "foreign",
            "MLFLOW_TRACKING_AUTH": "foreign",
            "MLFLOW_WORKSPACE": "foreign",
            "HOME": str(tmp_path),
            "NO_PROXY": "example.com",
        }.items():
            monkeypatch.setenv(name, value)
        address = f"http://127.0.0.1:{port}"
        with environment_variables(variables(address, "churn", "planted")):
            client = MlflowClient(address, address)
            for ask in (lambda: client.get_run("r"), lambda: client.get_model_version("churn", "1")):
                with pytest.raises(MlflowException):
                    ask()
    assert foreign == []
    wanted = "Basic " + base64.b64encode(b"churn:planted").decode()
    assert len(seen) >= 2
    assert {who for _, who in seen} == {wanted}


@contextmanager
def forwarded_to(status: int) -> Generator[PortForward]:
    """Yield a port to a server that answers everything with the status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with answering(Handler) as forward:
        yield forward


def test_a_server_that_works_is_not_complained_about():
    with forwarded_to(200) as forward:
        check(forward)


def test_a_server_that_does_not_work_is_told_at_once():
    with forwarded_to(503) as forward, pytest.raises(PlainError, match="its /health answers 503"):
        check(forward)


def test_a_pod_that_cannot_be_reached_is_told_and_not_the_connection_that_broke():
    def connect() -> Any:
        raise PlainError("jo may not connect to pods in ml-platform; assume the role platform")

    with PortForward(connect) as forward, pytest.raises(PlainError, match="MLflow does not answer: jo may not connect"):
        check(forward)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RestException({"error_code": "PERMISSION_DENIED", "message": "Permission denied"}),
            "MLflow refused: PERMISSION",
        ),
        (MlflowException("API request to http://127.0.0.1 failed"), "MLflow: API request to"),
    ],
)
def test_mlflows_errors_are_told_in_a_line(error: Exception, said: str):
    with PortForward(lambda: (None, lambda: None)) as forward:
        with pytest.raises(PlainError, match=said), plain_mlflow_errors(forward):
            raise error
        forward.problem = PlainError("no pod of mlflow is ready")
        if not isinstance(error, RestException):
            with pytest.raises(PlainError, match="no pod of mlflow is ready"), plain_mlflow_errors(forward):
                raise error
