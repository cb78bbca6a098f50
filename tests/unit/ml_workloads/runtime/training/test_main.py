"""The training command: its exit codes and last lines, which decide Kubernetes' next step."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from ml_workloads.runtime.handover import keys, tables
from ml_workloads.runtime.training.__main__ import main
from tests.unit.ml_workloads.runtime.conductor.in_process import Memory, own_mlflow

PART = keys.training_part("churn", "churn-1-fit")
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
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    values = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "TRAINING_PROJECT": "churn",
        "TRAINING_JOB": "churn-1-fit",
        "TRAINING_BUCKET": "lake",
        "TRAINING_CONTRACT": "churn_code:customers",
        "TRAINING_TARGET": "leaves",
        "TRAINING_ENTRYPOINT": "churn_code:train",
        "TRAINING_GATE": json.dumps({"metric": "accuracy", "bound": 0.8}),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def objects() -> Iterator[Memory]:
    with own_mlflow():
        yield with_rows(40)


def with_rows(count: int) -> Memory:
    """Return a store with the training part of the run."""
    ages = [age % 80 for age in range(count)]
    rows = pd.DataFrame({"age": [float(age) for age in ages], "leaves": ["yes" if age > 20 else "no" for age in ages]})
    made = Memory()
    made.put(PART, tables.to_bytes(rows))
    return made


@pytest.fixture(autouse=True)
def termination() -> Iterator[None]:
    """Restore the tests' SIGTERM handler after each test: the command installs its own."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("environment")
def test_a_training_hands_over_a_model_and_what_was_logged(objects: Memory):
    assert main(objects) == 0
    assert {keys.model("churn", "churn-1-fit"), keys.logged("churn", "churn-1-fit"), PART} == set(objects.held)


@pytest.mark.usefixtures("environment")
def test_rows_that_are_not_there_are_no_mistake_of_the_project(caplog: pytest.LogCaptureFixture):
    assert main(Memory()) == 75
    assert f"there are no rows to train on at {PART}" in caplog.text


@pytest.mark.parametrize(
    ("variable", "value", "code", "said"),
    [
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
    ],
)
def test_what_is_wrong_decides_the_exit_code_and_is_said(
    environment: pytest.MonkeyPatch,
    objects: Memory,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    value: str,
    code: int,
    said: str,
):
    environment.setenv(variable, value)
    assert main(objects) == code
    assert keys.model("churn", "churn-1-fit") not in objects.held
    assert said in caplog.text


def test_the_last_line_of_an_exception_is_one_sentence_without_all_of_the_data(
    environment: pytest.MonkeyPatch, objects: Memory, caplog: pytest.LogCaptureFixture
):
    environment.setenv("TRAINING_ENTRYPOINT", "churn_code:tells_all")
    assert main(objects) == 1
    last = caplog.records[-1].getMessage()
    assert "\n" not in last
    assert last.startswith("the project's code failed with ValueError: unknown labels: [0, 1, 2")
    assert "Traceback" in caplog.records[-2].getMessage()
    assert max(len(line) for line in caplog.text.splitlines()) < 1000


@pytest.mark.usefixtures("objects")
def test_what_fails_on_few_rows_only_trains(environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    environment.setenv("TRAINING_ENTRYPOINT", "churn_code:few_only")
    assert main(with_rows(1500)) == 0
    assert (
        "the training fails on at most 100 rows, going on with all of them: RuntimeError: too few rows" in caplog.text
    )


def test_a_training_that_is_asked_to_end_hands_over_nothing(environment: pytest.MonkeyPatch, objects: Memory):
    environment.setenv("TRAINING_ENTRYPOINT", "churn_code:is_ended")
    with pytest.raises(SystemExit) as ended:
        main(objects)
    assert ended.value.code == 128 + signal.SIGTERM
    assert list(objects.held) == [PART]
