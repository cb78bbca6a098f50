"""A planted password of a database reaches no log, no tag, no parameter and no output of a training run."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
import sqlalchemy
from mlflow import MlflowClient
from moto import mock_aws

from ml_workloads.runtime.training.__main__ import main

PLANTED = "pl4nted"
CODE = """
import pandera.pandas as pa
from sklearn.tree import DecisionTreeClassifier

customers = pa.DataFrameSchema({"age": pa.Column(float), "leaves": pa.Column(str)})

def train(inputs, target):
    return DecisionTreeClassifier(max_depth=2).fit(inputs, target)
"""


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose data is in a database, and the environment of its pod."""
    (tmp_path / "planted_code.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    database = tmp_path / "warehouse.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    rows = pd.DataFrame({"age": [float(age) for age in range(40)], "leaves": ["no"] * 20 + ["yes"] * 20})
    rows.to_sql("customers", engine, index=False)
    engine.dispose()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": (tmp_path / "mlflow").as_uri(),
        "TRAINING_PROJECT": "churn",
        "TRAINING_JOB": "churn-1",
        "TRAINING_DATA": json.dumps({"type": "sql", "secret": "warehouse", "query": "SELECT * FROM customers"}),
        "TRAINING_CONTRACT": "planted_code:customers",
        "TRAINING_TARGET": "leaves",
        "TRAINING_ENTRYPOINT": "planted_code:train",
        "TRAINING_GATE": json.dumps({"metric": "accuracy", "bound": 0.8}),
        "TRAINING_ALIAS": "dev",
        "TRAINING_PATIENCE_SECONDS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGTERM)
    with mock_aws():
        yield database
    signal.signal(signal.SIGTERM, before)


def recorded() -> str:
    client = MlflowClient()
    runs = [run for each in client.search_experiments() for run in client.search_runs([each.experiment_id])]
    return str([(run.data.tags, run.data.params, run.info) for run in runs])


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"sqlite:///{{database}}?password={PLANTED}", 0),
        (f"sqlite:///{{database}}.gone/x?password={PLANTED}", 2),
        (f"postgresql+psycopg://reader:{PLANTED}@127.0.0.1:1/sales", 75),
        (f"postgresql+psycopg://reader:p@{PLANTED}@127.0.0.1:1/sales", 75),
        (f"postgresql+psycopg://127.0.0.1:1/sales?user=reader&password={PLANTED}", 75),
        (f"postgresql+psycopg://reader:x@127.0.0.1:{PLANTED}/sales", 2),
        (f"mysql://reader:{PLANTED}@127.0.0.1/sales", 2),
        (f"reader {PLANTED}", 2),
    ],
)
def test_the_password_is_nowhere(
    warehouse: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], url: str, code: int
):
    client: Any = boto3.client("secretsmanager")
    client.create_secret(Name="warehouse", SecretString=json.dumps({"url": url.format(database=warehouse)}))
    with caplog.at_level(logging.INFO):
        assert main() == code
    told = "".join(capfd.readouterr())
    assert PLANTED not in f"{caplog.text}{told}"
    assert PLANTED not in recorded()
    assert ("sqlite:///warehouse.db" in recorded()) == (code == 0)
