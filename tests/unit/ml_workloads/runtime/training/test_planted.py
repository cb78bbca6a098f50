"""A planted database password reaches no log, tag, parameter or output of a training run."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest
import sqlalchemy
from mlflow import MlflowClient
from moto import mock_aws

from ml_workloads.runtime.conductor.conduct import conduct
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.conductor.sources import SqlDocument
from ml_workloads.runtime.conductor.tracking import MlflowTracking
from ml_workloads.runtime.errors import PlatformError, ProjectError
from ml_workloads.runtime.gate import Gate
from tests.unit.ml_workloads.runtime.conductor.in_process import InProcess

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
    """Set up a project with data in a database, and the environment of its run."""
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
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield database


def conducted() -> type[Exception] | None:
    """Run the project, and return the type of the error that it ends with."""
    gate = Gate(metric="accuracy", bound=0.8)
    plan = Plan(project="churn", job="churn-1", revision="1", target="leaves", holdout=0.2, gate=gate, alias="dev")
    plan = replace(plan, patience_seconds=1.0)
    document = SqlDocument(type="sql", secret="warehouse", query="SELECT * FROM customers")
    pods = InProcess(plan, "planted_code:customers", "planted_code:train")
    try:
        conduct(plan, lambda worker: document.source(worker, 1.0), pods, pods.objects, MlflowTracking("churn"))
    except (ProjectError, PlatformError) as error:
        logging.getLogger("conductor").error("%s", error)  # noqa: TRY400 - as the command tells it
        return ProjectError if isinstance(error, ProjectError) else PlatformError
    return None


def recorded() -> str:
    client = MlflowClient()
    runs = [run for each in client.search_experiments() for run in client.search_runs([each.experiment_id])]
    return str([(run.data.tags, run.data.params, run.info) for run in runs])


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"sqlite:///{{database}}?password={PLANTED}", None),
        (f"sqlite:///{{database}}.gone/x?password={PLANTED}", ProjectError),
        (f"postgresql+psycopg://reader:{PLANTED}@127.0.0.1:1/sales", PlatformError),
        (f"postgresql+psycopg://reader:p@{PLANTED}@127.0.0.1:1/sales", PlatformError),
        (f"postgresql+psycopg://127.0.0.1:1/sales?user=reader&password={PLANTED}", PlatformError),
        (f"postgresql+psycopg://reader:x@127.0.0.1:{PLANTED}/sales", ProjectError),
        (f"mysql://reader:{PLANTED}@127.0.0.1/sales", ProjectError),
        (f"reader {PLANTED}", ProjectError),
    ],
)
def test_the_password_is_nowhere(
    warehouse: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    url: str,
    kind: type[Exception] | None,
):
    client: Any = boto3.client("secretsmanager")
    client.create_secret(Name="warehouse", SecretString=json.dumps({"url": url.format(database=warehouse)}))
    with caplog.at_level(logging.INFO):
        assert conducted() is kind
    told = "".join(capfd.readouterr())
    assert PLANTED not in f"{caplog.text}{told}"
    assert PLANTED not in recorded()
    assert ("sqlite:///warehouse.db" in recorded()) == (kind is None)
