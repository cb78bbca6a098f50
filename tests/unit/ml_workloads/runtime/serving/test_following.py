"""A server process follows fifty moves of its alias under load; twenty lead to versions that cannot be loaded."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import mlflow
import mlflow.sklearn
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from ml_workloads.runtime.serving.columns import INPUTS as KEY
from ml_workloads.runtime.serving.columns import describe
from ml_workloads.runtime.serving.mlflow_registry import MlflowRegistry
from ml_workloads.runtime.serving.models import Follower
from ml_workloads.runtime.serving.scratch import Scratch

INPUTS = pd.DataFrame({"area": [1.0, 2.0, 3.0]})
# Where many tests run, a process needs minutes to import its libraries.
PATIENCE = 240.0
GOOD = ("1", "2", "3")
# Half of its file; kept as a pickle; no model file at all.
BAD = ("4", "5", "6")


def log(factor: int, *, kept_as: str = "skops") -> None:
    """Register a version whose model multiplies by a factor."""
    model: Any = LinearRegression().fit(INPUTS, INPUTS["area"] * factor)
    with mlflow.start_run():
        mlflow.sklearn.log_model(  # pyright: ignore[reportPrivateImportUsage]
            model,
            name="model",
            signature=infer_signature(INPUTS, model.predict(INPUTS)),
            registered_model_name="rent",
            pip_requirements=["scikit-learn"],
            metadata={KEY: describe(INPUTS)},
            serialization_format=kept_as,
        )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
        patch.chdir(folder)
        patch.setenv("MLFLOW_EXPERIMENT_ID", MlflowClient().create_experiment("rent"))
        for version in (*GOOD, *BAD):
            log(int(version), kept_as="cloudpickle" if version == "5" else "skops")
        client = MlflowClient()
        (cut,) = artifacts(folder, client, "4", "model.skops")
        cut.write_bytes(cut.read_bytes()[:500])
        (gone,) = artifacts(folder, client, "6", "model.skops")
        gone.unlink()
        client.set_registered_model_alias("rent", "production", "1")
        yield client


def artifacts(folder: Path, client: MlflowClient, version: str, name: str) -> list[Path]:
    source = str(client.get_model_version("rent", version).source).rpartition("/")[2]
    return [path for path in folder.rglob(name) if source in path.parts]


@dataclass
class Load:
    """Clients that send requests continuously."""

    address: str
    ended: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def ask(self) -> None:
        with httpx.Client(base_url=self.address, timeout=PATIENCE) as client:
            while not self.ended.wait(0.05):
                answer = client.post("/predict", json={"instances": [{"area": 10.0}]})
                if answer.status_code != 200:
                    self.failures.append(answer.text)
                    continue
                version = answer.json()["model"]["version"]
                self.answers.append(version)
                if abs(answer.json()["predictions"][0] - 10 * int(version)) > 1e-6:
                    self.failures.append(answer.text)


def until(holds: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends, f"{what} never came to pass"
        time.sleep(0.05)


def usage(folder: Path) -> tuple[int, int]:
    """Return the number of files and their total bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files)


def ready(address: str) -> dict[str, Any]:
    # httpx would read the certificates of the whole world for each question.
    connection = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return json.loads(connection.getresponse().read())
    except OSError:
        return {}
    finally:
        connection.close()


def threads_of(process: subprocess.Popen[bytes]) -> int:
    return len(list(Path(f"/proc/{process.pid}/task").iterdir()))


def start(stack: ExitStack, scratch: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[5]),
        "TMPDIR": str(scratch),
        "HOME": str(scratch),
        "SERVING_MODEL": "rent",
        "SERVING_ALIAS": "production",
        "SERVING_PORT": str(port),
        "SERVING_FOLLOW_SECONDS": "0.05",
    }
    log = stack.enter_context((scratch.parent / "server.log").open("wb"))
    process = subprocess.Popen(
        [sys.executable, "-m", "ml_workloads.runtime.serving"], env=environment, stdout=log, stderr=log
    )
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return process, f"http://127.0.0.1:{port}"


@pytest.mark.timeout(600)
def test_fifty_moves_of_the_alias_fail_no_request_and_leave_nothing_on_the_volume(store: MlflowClient, tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with ExitStack() as stack:
        process, address = start(stack, scratch)
        until(lambda: ready(address).get("status") == "ready", "the first version")
        load = Load(address)
        clients = [threading.Thread(target=load.ask, daemon=True) for _ in range(4)]
        stack.callback(load.ended.set)
        for client in clients:
            client.start()
        until(lambda: len(load.answers) > 8, "the first answers")
        before, threads = usage(scratch), threads_of(process)
        moves = [version for number in range(10) for version in _round(number)]
        assert (len(moves), sum(version in BAD for version in moves)) == (50, 20)
        for version in moves:
            move(store, address, version)
        load.ended.set()
        for client in clients:
            client.join(PATIENCE)
        assert load.failures == []
        assert set(load.answers) == set(GOOD)
        assert usage(scratch) == before
        # Those that predict come when they are needed first, one for each client.
        assert threads_of(process) <= threads + len(clients) + 1
        assert ready(address)["model"]["version"] == moves[-1] == GOOD[(9 + 2) % 3]
    assert list(scratch.glob("ml-platform-serving-*")) == []


def _round(number: int) -> list[str]:
    """Return five moves, each to another version than before: good, bad, good, bad, good."""
    good = [GOOD[(number + step) % 3] for step in range(3)]
    bad = [BAD[(number + step) % 3] for step in range(2)]
    return [good[0], bad[0], good[1], bad[1], good[2]]


def move(store: MlflowClient, address: str, version: str) -> None:
    """Move the alias, and wait until the server has followed."""
    store.set_registered_model_alias("rent", "production", version)

    def followed() -> bool:
        said = ready(address)
        if version in GOOD:
            return said["model"]["version"] == version and not said["problem"]
        return f"version {version} cannot be loaded" in said["problem"] and said["model"]["version"] in GOOD

    until(followed, f"the move to version {version}")


def test_a_version_that_is_too_large_is_refused_before_it_is_downloaded_and_the_one_before_answers(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (large,) = artifacts(Path(mlflow.get_tracking_uri().removeprefix("file://")), store, "3", "model.skops")
    store.set_registered_model_alias("rent", "production", "1")
    follower = Follower(MlflowRegistry("rent", "production", scratch=Scratch(size=1024**2)))
    assert follower.step() == "served"
    shutil.copy(large, tmp_path / "kept")
    with large.open("ab") as file:
        file.write(b"\0" * 2 * 1024**2)
    store.set_registered_model_alias("rent", "production", "3")
    assert follower.step() == "load failed"
    shutil.copy(tmp_path / "kept", large)
    assert follower.model is not None
    assert follower.model.version == "1"
    assert "version 3 takes 2.0 MiB" in follower.problem
    assert "SERVING_SCRATCH_BYTES" in follower.problem
