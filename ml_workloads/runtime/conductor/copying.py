"""Copies what a project's code logged into MLflow, beside the platform's own records and never over them."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeVar

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from pydantic import ValidationError

from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.handover import keys
from ml_workloads.runtime.handover.logged import Logged, LoggedRun
from ml_workloads.runtime.handover.objects import Objects
from ml_workloads.runtime.retries import is_passing

T = TypeVar("T")
LOG = logging.getLogger(__name__)
PREFIX: Final = "project."
FOLDER: Final = "project"
MAX_NAME: Final = 250
"""Maximum length of a name that MLflow accepts, in characters."""

_MAX_METRICS, _MAX_OTHERS = 1000, 100
"""Limits of one request. https://mlflow.org/docs/latest/rest-api.html#log-batch"""


def copy_logged(client: MlflowClient, run_id: str, plan: Plan, objects: Objects) -> None:
    """Copy runs, parameters, tags, metrics and files from the training pod's own store.

    Values that MLflow rejects are left out with a line in the log: a run does not fail because of what its code logs.

    Args:
        client: Client of the MLflow server.
        run_id: The platform's run, which gets the values of the training's own run; other runs become its children.
        plan: Names the run's objects.
        objects: Objects that the training pod has left.
    """
    content = objects.get(keys.logged(plan.project, plan.training))
    if content is None:
        return
    try:
        logged = Logged.model_validate(json.loads(content))
    except (ValidationError, ValueError, RecursionError) as error:
        LOG.warning("what the project's code logged cannot be read: %s", _first(error))
        return
    made = [run_id]
    for place, run in enumerate(logged.runs):
        if place:
            made.append(_child(client, run_id, made, run))
        _copy(client, made[place], run, plan, objects)
        if place:
            client.set_terminated(made[place])


def _child(client: MlflowClient, run_id: str, made: Sequence[str], run: LoggedRun) -> str:
    known = run.parent is not None and run.parent < len(made)
    parent = made[run.parent] if known and run.parent is not None else run_id
    experiment = client.get_run(run_id).info.experiment_id
    created = client.create_run(experiment, tags={"mlflow.parentRunId": parent}, run_name=run.name or None)
    return str(created.info.run_id)


def _copy(client: MlflowClient, run_id: str, run: LoggedRun, plan: Plan, objects: Objects) -> None:
    names = {name: f"{PREFIX}{name}" for name in (*run.parameters, *run.tags, *run.metrics)}
    long = sorted(name for name, prefixed in names.items() if len(prefixed) > MAX_NAME)
    if long:
        LOG.warning("names that are too long are left out: %s", ", ".join(name[:60] for name in long[:5]))
    metrics = [
        Metric(names[name], each.value, each.timestamp, each.step)
        for name, points in run.metrics.items()
        if name not in long
        for each in points
    ]
    parameters = [Param(names[name], value) for name, value in run.parameters.items() if name not in long]
    tags = [RunTag(names[name], value) for name, value in run.tags.items() if name not in long]
    for batch in _batches(metrics, _MAX_METRICS):
        _tried(partial(client.log_batch, run_id, metrics=batch))
    for batch in _batches(parameters, _MAX_OTHERS):
        _tried(partial(client.log_batch, run_id, params=batch))
    for batch in _batches(tags, _MAX_OTHERS):
        _tried(partial(client.log_batch, run_id, tags=batch))
    _copy_files(client, run_id, run, plan, objects)


def _copy_files(client: Any, run_id: str, run: LoggedRun, plan: Plan, objects: Objects) -> None:
    for number, written in run.artifacts.items():
        path = safe_path(written)
        if path is None:
            LOG.warning("the file %s is left out: its name leads out of its folder", written[:100])
            continue
        content = objects.get(f"{keys.artifacts(plan.project, plan.training)}{number}")
        if content is None:
            continue
        with tempfile.TemporaryDirectory(prefix="artifact-") as folder:
            file = Path(folder) / path.name
            file.write_bytes(content)
            place = PurePosixPath(FOLDER, path.parent)
            _tried(partial(client.log_artifact, run_id, str(file), str(place)))


def safe_path(written: str) -> PurePosixPath | None:
    """Return a path below a folder, or None for a path that leaves the folder."""
    path = PurePosixPath(written)
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or "\\" in written or "\0" in written:
        return None
    return path if all(len(part.encode()) <= 200 for part in parts) else None


def _batches(found: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(found), size):
        yield list(found[start : start + size])


def _tried(call: Any) -> None:
    try:
        call()
    except MlflowException as error:
        if is_passing(error):
            raise
        LOG.warning("MLflow does not take what the project's code logged: %s", _first(error))


def _first(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
