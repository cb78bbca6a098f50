"""The training command: what its exit codes and last lines say, which decide what Kubernetes does next."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from mlflow import MlflowClient
from moto import mock_aws

from ml_workloads.runtime.data import DataError, SqlQuery
from ml_workloads.runtime.training.__main__ import SqlDocument, main

CODE = """
import pandera.pandas as pa
from sklearn.tree import DecisionTreeClassifier

customers = pa.DataFrameSchema({"age": pa.Column(float, pa.Check.ge(0)), "leaves": pa.Column(str)})

def train(inputs, target):
    return DecisionTreeClassifier(max_depth=2).fit(inputs, target)

def fails(inputs, target):
    raise RuntimeError("no such solver")

def is_ended(inputs, target):
    import os, signal
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    (tmp_path / "churn_code.py").write_text(CODE)
    rows = "\n".join(f"{age}.0,{'yes' if age > 20 else 'no'}" for age in range(40))
    (tmp_path / "customers.csv").write_text(f"age,leaves\n{rows}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    values = {
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": (tmp_path / "mlflow").as_uri(),
        "TRAINING_PROJECT": "churn",
        "TRAINING_JOB": "churn-1",
        "TRAINING_DATA": json.dumps({"type": "local", "path": "customers.csv"}),
        "TRAINING_CONTRACT": "churn_code:customers",
        "TRAINING_TARGET": "leaves",
        "TRAINING_ENTRYPOINT": "churn_code:train",
        "TRAINING_GATE": json.dumps({"metric": "accuracy", "bound": 0.8}),
        "TRAINING_ALIAS": "dev",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture(autouse=True)
def termination() -> Iterator[None]:
    """The command handles SIGTERM by itself; the tests' own handling comes back after each."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_model_that_the_gate_lets_through_ends_with_0_and_the_alias(environment: pytest.MonkeyPatch):
    assert main() == 0
    assert str(MlflowClient().get_model_version_by_alias("churn", "dev").version) == "1"
    environment.setenv("TRAINING_GATE", json.dumps({"metric": "accuracy", "bound": 1.1}))
    assert main() == 0
    assert str(MlflowClient().get_model_version_by_alias("churn", "dev").version) == "1"


@pytest.mark.parametrize(
    ("variable", "value", "code", "said"),
    [
        ("TRAINING_TARGET", "left", 2, "the data has no column 'left'"),
        ("TRAINING_DATA", '{"type": "local", "path": "gone.csv"}', 2, "gone.csv: there is no such file"),
        ("TRAINING_DATA", '{"type": "ftp"}', 2, "TRAINING_DATA: "),
        ("TRAINING_GATE", '{"metric": "f2", "bound": 1}', 2, "TRAINING_GATE_METRIC: "),
        ("TRAINING_JOB", "", 2, "TRAINING_JOB: "),
        ("TRAINING_ENTRYPOINT", "churn_code:trains", 2, "module churn_code has no trains"),
        ("TRAINING_ENTRYPOINT", "churn_code:fails", 1, "no such solver"),
        ("MLFLOW_TRACKING_URI", "http://127.0.0.1:1", 75, "MLflow does not answer"),
    ],
)
def test_what_is_wrong_decides_the_exit_code_and_is_said(
    environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    value: str,
    code: int,
    said: str,
):
    environment.setenv(variable, value)
    environment.setenv("TRAINING_PATIENCE_SECONDS", "0.5")
    environment.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert main() == code
    assert said in caplog.text


@pytest.mark.usefixtures("environment")
def test_a_run_that_is_asked_to_end_is_recorded_as_failed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TRAINING_ENTRYPOINT", "churn_code:is_ended")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 128 + signal.SIGTERM
    client = MlflowClient()
    experiment = client.get_experiment_by_name("churn")
    assert experiment is not None
    (recorded,) = client.search_runs([experiment.experiment_id])
    assert recorded.info.status == "FAILED"
    assert recorded.data.tags["failure"] == "Ended: the pod was asked to end"


def test_the_address_of_a_database_comes_from_its_secret(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client: Any = boto3.client("secretsmanager")
        client.create_secret(Name="warehouse", SecretString='{"url": "postgresql+psycopg://reader:planted@db/w"}')
        client.create_secret(Name="empty", SecretString="planted")
        source = SqlDocument(type="sql", secret="warehouse", query="SELECT 1").source()
        assert isinstance(source, SqlQuery)
        assert "planted" not in source.name
        with pytest.raises(DataError, match="secret empty: write") as refused:
            SqlDocument(type="sql", secret="empty", query="SELECT 1").source()
        assert "planted" not in str(refused.value)
        with pytest.raises(DataError, match=r"secret gone: .*ResourceNotFoundException"):
            SqlDocument(type="sql", secret="gone", query="SELECT 1").source()
