"""HTTP between conductor and worker: answers, mistakes, exceptions, and invalid answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
import uvicorn
from fastapi import FastAPI, Response
from sklearn.tree import DecisionTreeClassifier

from ml_workloads.runtime import trusted_types
from ml_workloads.runtime.conductor.asked import asked
from ml_workloads.runtime.conductor.workers import HttpWorker
from ml_workloads.runtime.errors import CodeError, PlatformError, ProjectError
from ml_workloads.runtime.worker import messages
from ml_workloads.runtime.worker.answers import Contracts, Models
from ml_workloads.runtime.worker.application import application

ROWS = pd.DataFrame({"age": [1.0, 50.0, None], "leaves": ["no", "yes", "no"]}, index=[4, 2, 9])
CONTRACT = pa.DataFrameSchema({"age": pa.Column(float, nullable=True), "leaves": pa.Column("category", coerce=True)})


@contextmanager
def served(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Generator[HttpWorker]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the worker does not start"
        time.sleep(0.01)
    monkeypatch.setattr(messages, "PORT", port)
    try:
        yield HttpWorker(lambda: "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def worker(
    monkeypatch: pytest.MonkeyPatch, contract: Any = CONTRACT, data: Path | None = None
) -> Generator[HttpWorker]:
    with served(application(Contracts(lambda: contract), Models(()), data), monkeypatch) as made:
        yield made


def test_a_contract_is_answered_as_text_columns_and_as_a_recipe(monkeypatch: pytest.MonkeyPatch):
    with worker(monkeypatch) as asks:
        assert asks.contract().names == []
        made = asks.check(ROWS, "leaves").apply(ROWS)
    assert list(made.index) == [4, 2, 9]
    assert made["leaves"].dtype == pd.CategoricalDtype(["no", "yes"])
    assert made["age"].isna().tolist() == [False, False, True]


def test_rows_that_break_the_contract_are_told_with_their_numbers(monkeypatch: pytest.MonkeyPatch):
    strict = pa.DataFrameSchema({"age": pa.Column(float, pa.Check.le(40), nullable=True)})
    with worker(monkeypatch, strict) as asks, pytest.raises(ProjectError, match=r"row 2 \(50.0\)"):
        asks.check(ROWS, "leaves")


def test_an_exception_of_the_projects_code_is_told_and_the_worker_answers_on(monkeypatch: pytest.MonkeyPatch):
    def broken() -> Any:
        raise RuntimeError("no such table")

    app = application(Contracts(broken), Models(()), None)
    with served(app, monkeypatch) as asks:
        with pytest.raises(CodeError, match="the project's code failed with RuntimeError: no such table"):
            asks.contract()
        with pytest.raises(ProjectError, match="no model was sent"):
            asks.ask("predict", ROWS)


def test_a_model_is_asked_like_one_that_is_here(monkeypatch: pytest.MonkeyPatch):
    inputs = pd.DataFrame({"age": np.arange(40) * 1.0})
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(inputs, np.arange(40) > 20)
    with worker(monkeypatch) as asks:
        found = asked(asks, trusted_types.save(model))
        assert type(found).__name__ == "DecisionTreeClassifier"
        assert not hasattr(found, "decision_function")
        assert found.predict(inputs).tolist() == model.predict(inputs).tolist()
        assert found.predict(inputs).dtype == bool
        assert np.array_equal(found.predict_proba(inputs), model.predict_proba(inputs))
        assert found.classes_.tolist() == [False, True]


def test_a_file_of_the_image_is_handed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "data.csv").write_bytes(b"age\n1\n")
    with worker(monkeypatch, data=tmp_path / "data.csv") as asks:
        assert asks.data() == b"age\n1\n"
    with (
        worker(monkeypatch, data=tmp_path / "gone.csv") as asks,
        pytest.raises(ProjectError, match=r"gone.csv: there is"),
    ):
        asks.data()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"values": [1, 2]}', "predict returned 2 values for 3 rows"),
        (b'{"values": [{"a": 1}, 2, 3]}', "answers /predict with something else"),
        (b"[]", "answers /predict with something else"),
        (b"\xff\xfe", "answers /predict with something else"),
    ],
)
def test_answers_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, content: bytes, said: str):
    app = FastAPI()
    loaded = messages.ModelAnswer(kind="Cheat", methods=["predict"])
    app.add_api_route(messages.MODEL, lambda: loaded, methods=["PUT"])
    app.add_api_route(messages.PREDICT, lambda: Response(content), methods=["POST"])
    with served(app, monkeypatch) as asks, pytest.raises(ProjectError, match=said):
        asked(asks, b"").predict(ROWS)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ml_workloads.runtime.conductor.workers.MAX_BYTES", 1000)
    app = FastAPI()
    app.add_api_route(messages.DATA, lambda: Response(b"x" * 2000), methods=["GET"])
    with served(app, monkeypatch) as asks, pytest.raises(ProjectError, match="with more than 1000 bytes"):
        asks.data()


def test_a_worker_that_is_gone_is_no_mistake_of_the_project(monkeypatch: pytest.MonkeyPatch):
    with worker(monkeypatch) as asks:
        asks.contract()
    with pytest.raises(PlatformError, match="the worker does not answer /contract"):
        asks.contract()


def test_contracts_that_are_none_say_so(monkeypatch: pytest.MonkeyPatch):
    with (
        worker(monkeypatch, contract={"age": float}) as asks,
        pytest.raises(ProjectError, match=r"data\.contract names a dict"),
    ):
        asks.check(ROWS, "leaves")
