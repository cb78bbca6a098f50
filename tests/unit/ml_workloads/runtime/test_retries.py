"""MLflow's own client must not retry for minutes before anybody learns that the server is down."""

from __future__ import annotations

import os
import socket
import time

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from ml_workloads.runtime.retries import fail_early

VARIABLE = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"


def test_a_call_to_a_server_that_is_away_fails_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    fail_early()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(MlflowException, match="API request to"):
        MlflowClient(address).get_experiment_by_name("rent")
    assert time.monotonic() - began < 15


def test_a_number_that_the_environment_says_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "4")
    fail_early()
    assert os.environ[VARIABLE] == "4"
