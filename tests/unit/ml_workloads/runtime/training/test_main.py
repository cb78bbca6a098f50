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

from ml_workloads.runtime.data import DataError
from ml_workloads.runtime.data.database import SqlQuery
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

def exits(inputs, target):
    raise SystemExit(0)

def retries(inputs, target):
    raise SystemExit(75)

def needs_memory(inputs, target):
    raise MemoryError("Unable to allocate 3 TiB")

def validates(inputs, target):
    import pydantic
    pydantic.TypeAdapter(int).validate_python("many")

def tells_all(inputs, target):
    raise ValueError(f"unknown labels: {list(range(10_000))}")

def without_mlflow(inputs, target):
    from mlflow.exceptions import MlflowException
    raise MlflowException("API request to http://mlflow failed with exception timed out")

def without_credentials(inputs, target):
    from botocore.exceptions import CredentialRetrievalError
    raise CredentialRetrievalError(provider="container-role", error_msg="timed out")

def few_only(inputs, target):
    if len(inputs) < 1000:
        raise RuntimeError("too few rows for the grid")
    return train(inputs, target)
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
        ("TRAINING_ENTRYPOINT", "churn_code:fails", 1, "failed with RuntimeError: no such solver ("),
        ("TRAINING_ENTRYPOINT", "churn_code:fails", 1, "churn_code.py:11 in fails)"),
        ("TRAINING_ENTRYPOINT", "churn_code:exits", 1, "ended the process itself, with exit(0)"),
        ("TRAINING_ENTRYPOINT", "churn_code:retries", 1, "ended the process itself, with exit(75)"),
        ("TRAINING_ENTRYPOINT", "churn_code:needs_memory", 1, "raise training.resources.memory in project.yaml"),
        ("TRAINING_ENTRYPOINT", "churn_code:validates", 1, "failed with ValidationError: 1 validation error for int"),
        ("TRAINING_ENTRYPOINT", "churn_code:without_mlflow", 75, "a service of the platform did not answer"),
        ("TRAINING_ENTRYPOINT", "churn_code:without_credentials", 75, "Error when retrieving credentials"),
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


def test_the_last_line_of_an_exception_is_one_sentence_without_all_of_the_data(
    environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    environment.setenv("TRAINING_ENTRYPOINT", "churn_code:tells_all")
    assert main() == 1
    last = caplog.records[-1].getMessage()
    assert "\n" not in last
    assert last.startswith("the project's code failed with ValueError: unknown labels: [0, 1, 2")
    assert "Traceback" in caplog.records[-2].getMessage()
    assert max(len(line) for line in caplog.text.splitlines()) < 1000
    client = MlflowClient()
    experiment = client.get_experiment_by_name("churn")
    assert experiment is not None
    (recorded,) = client.search_runs([experiment.experiment_id])
    assert len(recorded.data.tags["failure"]) < 600


def test_what_fails_on_few_rows_only_trains(environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    rows = "\n".join(f"{age % 80}.0,{'yes' if age % 80 > 20 else 'no'}" for age in range(1500))
    Path("customers.csv").write_text(f"age,leaves\n{rows}\n")
    environment.setenv("TRAINING_ENTRYPOINT", "churn_code:few_only")
    assert main() == 0
    assert (
        "the training fails on at most 100 rows, going on with all of them: RuntimeError: too few rows" in caplog.text
    )


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
