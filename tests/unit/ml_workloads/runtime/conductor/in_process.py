"""A whole run in one process: worker and training are functions, objects stay in memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.tracking._model_registry import utils as registry_address
from mlflow.tracking._tracking_service import utils as tracking_address

from ml_workloads.runtime.conductor.conduct import Outcome, conduct
from ml_workloads.runtime.conductor.jobs import TrainingError
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.conductor.tracking import MlflowTracking, Tracking
from ml_workloads.runtime.data import Source
from ml_workloads.runtime.errors import CodeError, ProjectError
from ml_workloads.runtime.handover import keys, tables
from ml_workloads.runtime.objects import load_object
from ml_workloads.runtime.recipe import Recipe
from ml_workloads.runtime.training import run as training
from ml_workloads.runtime.training.inside import guarded
from ml_workloads.runtime.training.local_tracking import LocalTracking
from ml_workloads.runtime.training.telling import one_line
from ml_workloads.runtime.worker.answers import Contracts, Models
from ml_workloads.runtime.worker.messages import ContractAnswer, Method, ModelAnswer, Predictions


class Memory:
    """Object store in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.ever: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        self.held[key] = self.ever[key] = content

    def put_first(self, key: str, content: bytes) -> bool:
        if key in self.held:
            return False
        self.put(key, content)
        return True

    def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.held if key.startswith(prefix)]

    def delete(self, key: str) -> None:
        self.held.pop(key, None)


class DirectWorker:
    """A worker without HTTP in between; tables still pass as bytes."""

    def __init__(self, contract: Any, trusted: Sequence[str]) -> None:
        self._contracts, self._models = Contracts(lambda: loaded(contract)), Models(trusted)

    def contract(self) -> ContractAnswer:
        return _answered(self._contracts.text_columns)

    def data(self) -> bytes:
        raise AssertionError("the data of these tests is not in the image")

    def check(self, raw: pd.DataFrame, target: str) -> Recipe:
        sent = tables.to_bytes(raw)
        return _answered(lambda: self._contracts.check(tables.from_bytes(sent), target))

    def load(self, saved: bytes) -> ModelAnswer:
        return _answered(lambda: self._models.load(saved))

    def ask(self, method: Method, rows: pd.DataFrame) -> Predictions:
        sent = tables.to_bytes(rows)
        return _answered(lambda: self._models.ask(method, tables.from_bytes(sent)))


def loaded(named: Any) -> Any:
    """Return an object, or load it from its name `module:name`."""
    return load_object(named) if isinstance(named, str) else named


def _answered(call: Callable[[], Any]) -> Any:
    try:
        answer = call()
        return type(answer).model_validate_json(answer.model_dump_json())
    except ProjectError:
        raise
    except Exception as error:
        raise CodeError(f"the project's code failed with {one_line(error)}") from error


@dataclass
class InProcess:
    """A run in this process; `contract` and `train_with` are objects, or names `module:name`.

    `workers` are the names of started workers, and `trained` the rows that trainings received. `seed` selects the
    held-out rows; with None the conductor draws one, and the metric differs between runs.
    """

    plan: Plan
    contract: Any
    train_with: Any
    objects: Memory = field(default_factory=Memory)
    workers: list[str] = field(default_factory=list[str])
    trained: list[pd.DataFrame] = field(default_factory=list[pd.DataFrame])
    seed: int | None = 1

    def __post_init__(self) -> None:
        if self.seed is not None:
            self.objects.put_first(keys.split_key(self.plan.project), json.dumps({"seed": self.seed}).encode())

    @contextmanager
    def worker(self, name: str) -> Generator[DirectWorker]:
        self.workers.append(name)
        yield DirectWorker(self.contract, self.plan.trusted_types)

    def train(self, job: str, part: str) -> None:
        project, plan = self.plan.project, self.plan
        content = self.objects.get(keys.training_part(project, job))
        assert content is not None
        assert tables.digest(content) == part
        rows = tables.from_bytes(content)
        self.trained.append(rows)
        with tempfile.TemporaryDirectory() as folder, own_mlflow():
            try:
                tracking = LocalTracking(Path(folder), project)
                with guarded():
                    made = training.Plan(
                        contract=loaded(self.contract),
                        target=plan.target,
                        train=loaded(self.train_with),
                        gate=plan.gate,
                        holdout=plan.holdout,
                        trusted_types=plan.trusted_types,
                    )
                done = training.train(made, rows, tracking)
            except ProjectError:
                raise
            except Exception as error:
                raise TrainingError(f"the project's code failed with {one_line(error)}") from error
            for number, file in done.files.items():
                self.objects.put(f"{keys.artifacts(project, job)}{number}", file.read_bytes())
        self.objects.put(keys.logged(project, job), done.logged.model_dump_json().encode())
        self.objects.put(keys.model(project, job), done.saved)

    def run(self, source: Source, tracking: Tracking | None = None) -> Outcome:
        return conduct(self.plan, lambda _: source, self, self.objects, tracking or MlflowTracking(self.plan.project))


@contextmanager
def own_mlflow() -> Generator[None]:
    """Restore MLflow's addresses and variables afterwards: the training sets its own, as a separate process."""
    server: Any = tracking_address
    registry: Any = registry_address
    addresses = server._tracking_uri, registry._registry_uri
    variables = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
    try:
        yield
    finally:
        server._tracking_uri, registry._registry_uri = addresses
        for name in [name for name in os.environ if name.startswith("MLFLOW_") and name not in variables]:
            del os.environ[name]
        os.environ.update(variables)
