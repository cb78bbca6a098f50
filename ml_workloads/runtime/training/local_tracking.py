"""Local store of `mlflow` in a project's code: files on the pod's own volume.

The pod has no account at the platform's MLflow. The conductor copies what was logged there.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow import MlflowClient
from mlflow.tracking._model_registry import utils as registry_address
from mlflow.tracking._tracking_service import utils as tracking_address

from ml_workloads.runtime.handover.logged import MAX_RUNS, Logged, LoggedRun, Point
from ml_workloads.runtime.training.inside import running

_PARENT = "mlflow.parentRunId"
_OWN = "mlflow."


class LocalTracking:
    """One experiment below `folder`, with the name of the project."""

    def __init__(self, folder: Path, project: str) -> None:
        self.address = (folder / "mlflow").as_uri()
        # Set the address globally, so that libraries of the project use it too.
        os.environ["MLFLOW_TRACKING_URI"] = self.address
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        os.environ.pop("MLFLOW_RUN_ID", None)
        tracking_address.set_tracking_uri(self.address)
        registry_address.set_registry_uri(self.address)
        self._client = MlflowClient(self.address, self.address)
        self._experiment = self._client.create_experiment(project)
        self._run: Any = self._client.create_run(self._experiment)

    @contextmanager
    def active(self) -> Generator[None]:
        """Let the project's code log to the run inside the block."""
        with running(self._run):
            yield

    def logged(self) -> tuple[Logged, Mapping[str, Path]]:
        """Return the logged runs, the training's own run first, and their files by the numbers that stand for them."""
        found: list[Any] = list(self._client.search_runs([self._experiment], max_results=MAX_RUNS))
        own = self._run.info.run_id
        found.sort(key=lambda run: (run.info.run_id != own, run.info.start_time, run.info.run_id))
        ordered = _parents_first(found)
        places = {str(run.info.run_id): place for place, run in enumerate(ordered)}
        files: dict[str, Path] = {}
        return Logged(runs=[self._read(run, places, files) for run in ordered]), files

    def _read(self, run: Any, places: Mapping[str, int], files: dict[str, Path]) -> LoggedRun:
        tags = dict(run.data.tags)
        folder = _folder(str(run.info.artifact_uri))
        artifacts: dict[str, str] = {}
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            number = str(len(files))
            files[number], artifacts[number] = path, path.relative_to(folder).as_posix()
        return LoggedRun(
            parent=places.get(tags.get(_PARENT, "")),
            name=str(run.info.run_name or ""),
            parameters=dict(run.data.params),
            tags={name: value for name, value in tags.items() if not name.startswith(_OWN)},
            metrics={name: self._history(run.info.run_id, name) for name in run.data.metrics},
            artifacts=artifacts,
        )

    def _history(self, run_id: str, name: str) -> list[Point]:
        return [
            Point(value=each.value, step=each.step, timestamp=each.timestamp)
            for each in self._client.get_metric_history(run_id, name)
        ]


def _folder(uri: str) -> Path:
    return Path(unquote(urlsplit(uri).path))


def _parents_first(runs: list[Any]) -> list[Any]:
    """Return runs so that each comes after its parent. A run with unknown parent counts as a child of the first."""
    known: set[str] = set()
    ordered: list[Any] = []
    left = list(runs)
    while left:
        ids = {run.info.run_id for run in left}
        ready = [run for run in left if run.data.tags.get(_PARENT) not in ids]
        if not ready:
            ready = left[:1]
        ordered += ready
        known |= {run.info.run_id for run in ready}
        left = [run for run in left if run.info.run_id not in known]
    return ordered
