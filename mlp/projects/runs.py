"""Runs and versions from MLflow, for `mlp runs`, `mlp models` and the end of `mlp train --follow`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ml_workloads.runtime import records
from mlp.projects.show import from_milliseconds

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, kw_only=True)
class Run:
    run_id: str
    job: str | None
    status: str
    started: datetime | None
    seconds: float | None
    metrics: Mapping[str, float]
    revision: str | None
    data_digest: str | None
    data_met_contract: bool
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """Version of a model.

    `gate` is the result of training's gate: `passed`, or the reasons; `gate_by` is the account that recorded it.
    """

    version: str
    aliases: tuple[str, ...]
    gate: str | None
    gate_by: str | None
    metrics: Mapping[str, float]
    run_id: str | None
    created: datetime | None


def runs_of(client: MlflowClient, project: str, most: int, job: str | None = None) -> list[Run]:
    """Return the runs of a project, newest first."""
    experiment = client.get_experiment_by_name(project)
    if experiment is None:
        return []
    found = client.search_runs(
        [experiment.experiment_id],
        filter_string=f"tags.{records.JOB} = '{job}'" if job else "",
        max_results=most,
        order_by=["attributes.start_time DESC"],
    )
    return [_run(each) for each in found]


def read_run(client: MlflowClient, run_id: str) -> Run:
    return _run(client.get_run(run_id))


def versions_of(client: MlflowClient, project: str, most: int) -> list[ModelVersion]:
    """Return the versions of a project's model, newest first; empty if the project has no model yet."""
    from ml_workloads.promotion.registry import absent

    model: Any = absent(lambda: client.get_registered_model(project))
    if model is None:
        return []
    aliases = {str(alias): str(version) for alias, version in dict(model.aliases or {}).items()}
    found = sorted(
        client.search_model_versions(f"name = '{project}'", max_results=1000),
        key=lambda each: int(each.version),
        reverse=True,
    )
    # A version with an alias is shown whatever its age.
    shown = [each for place, each in enumerate(found) if place < most or str(each.version) in aliases.values()]
    return [_version(client, each, aliases) for each in shown]


def version_of_run(client: MlflowClient, project: str, run_id: str) -> ModelVersion | None:
    return next((each for each in versions_of(client, project, 1000) if each.run_id == run_id), None)


def as_document(record: Run | ModelVersion) -> dict[str, Any]:
    """Return the document for `--json`."""
    return asdict(record)


def without_gaps(metrics: Mapping[str, float]) -> Sequence[tuple[str, float]]:
    return [(name, value) for name, value in sorted(metrics.items()) if not name.endswith("_gap")]


def _run(found: Any) -> Run:
    info, tags = found.info, found.data.tags
    ended = (info.end_time - info.start_time) / 1000 if info.end_time and info.start_time else None
    return Run(
        run_id=str(info.run_id),
        job=tags.get(records.JOB),
        status=str(info.status),
        started=from_milliseconds(info.start_time),
        seconds=ended,
        metrics=dict(found.data.metrics),
        revision=tags.get(records.CODE_REVISION),
        data_digest=tags.get(records.DATA_DIGEST),
        data_met_contract=tags.get(records.DATA_CONTRACT) == records.CONTRACT_MET,
        failure=tags.get(records.FAILURE),
    )


def _version(client: MlflowClient, found: Any, aliases: Mapping[str, str]) -> ModelVersion:
    from ml_workloads.promotion.registry import absent
    from ml_workloads.promotion.writers import gate_writer

    run: Any = absent(lambda: client.get_run(str(found.run_id))) if found.run_id else None
    tags = dict(found.tags or {})
    return ModelVersion(
        version=str(found.version),
        aliases=tuple(alias for alias, version in aliases.items() if version == str(found.version)),
        gate=tags.get(records.GATE),
        gate_by=gate_writer(tags),
        metrics=dict(run.data.metrics) if run else {},
        run_id=str(found.run_id) if found.run_id else None,
        created=from_milliseconds(found.creation_timestamp),
    )
