"""One training run, from reading the data to the verdict of the gate.

The project's code runs in two places, and the verdict is made in neither of them. A worker checks the data against the
contract, and later answers for a model that needs the project's code; it has no permissions and no outgoing
connections. The training pod gets the rows to train on, and none of the held-out rows.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import pandas as pd

from ml_workloads.runtime import records
from ml_workloads.runtime.conductor.asked import Worker
from ml_workloads.runtime.conductor.judge import measure
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.conductor.tracking import Logged, Tracking, TrainedModel
from ml_workloads.runtime.data import Dataset, ReadOptions, Source, load
from ml_workloads.runtime.data.text_columns import TextColumns
from ml_workloads.runtime.errors import PlatformError, ProjectError
from ml_workloads.runtime.gate import Candidate, Verdict, decide
from ml_workloads.runtime.handover import keys, tables
from ml_workloads.runtime.handover.objects import Objects
from ml_workloads.runtime.training.split import Part, has_missing, inputs_of, split
from ml_workloads.runtime.training.target import check_target
from ml_workloads.runtime.training.telling import reason

LOG = logging.getLogger(__name__)
CHECK, JUDGE = "check", "judge"
"""Suffixes of the names of the workers' Jobs."""

_SEEDS: Final = 2**32


class Pods(Protocol):
    """Pods that run the project's code."""

    def worker(self, name: str) -> AbstractContextManager[Worker]:
        """Start a new worker. It is deleted at the end of the block."""
        ...

    def train(self, job: str, part: str) -> None:
        """Run the project's training until it ends. `part` is the digest of the rows that it is given.

        Raises:
            ProjectError: the project's code or its data is wrong.
            TrainingError: the training failed for another reason, which the message names.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a run: the registered version, its metrics and the verdict of the gate."""

    logged: Logged
    metrics: Mapping[str, float]
    verdict: Verdict


def conduct(
    plan: Plan, source: Callable[[Worker], Source], pods: Pods, objects: Objects, tracking: Tracking
) -> Outcome:
    """Run the training, evaluate the model, record it and decide on it.

    A rejected model is recorded too, but gets no alias.

    Args:
        plan: The plan of the run.
        source: Location of the data; data in the project's image is read through the worker.
        pods: Pods that run the project's code.
        objects: Objects that the pods of the run exchange.
        tracking: Record of runs and models.

    Raises:
        ProjectError: a mistake in the data or the project; nothing is registered then.
        TrainingError: the training pod failed.
        PlatformError: MLflow or another service did not answer for long.
    """
    with pods.worker(CHECK) as worker:
        data = _read(plan, source(worker), worker)
        run_id = tracking.begin(_tags(plan, data), {records.TARGET: plan.target, records.HOLDOUT: str(plan.holdout)})
        try:
            recipe = worker.check(data.frame, plan.target)
            checked = recipe.apply(data.frame)
        except BaseException as error:
            tracking.fail(run_id, reason(error))
            raise
    try:
        LOG.info("the data meets its contract")
        tracking.met_contract(run_id)
        training, held_out = divide(plan, checked, _split_seed(plan, objects))
        inputs = inputs_of(checked, plan.target)
        rows = cast("Any", data.frame).loc[training.inputs.index]
        saved = _trained(plan, rows, pods, objects)
        measured = measure(plan, saved, inputs, training, held_out, lambda: pods.worker(JUDGE))
        LOG.info("measured %s", ", ".join(f"{name} {value:.4g}" for name, value in measured.metrics.items()))
        incumbent = tracking.incumbent(plan.alias)
        tracking.copy(run_id, plan, objects)
        logged = tracking.finish(run_id, TrainedModel.of(saved, measured, plan.trusted_types), measured.metrics)
    except BaseException as error:
        tracking.fail(run_id, reason(error))
        if isinstance(error, ProjectError):
            _clear(plan, objects)
        # Objects are kept after any other error, so that the next attempt resumes with them.
        raise
    candidate = Candidate(metrics=measured.metrics, data_met_contract=True, has_signature=logged.has_signature)
    verdict = decide(plan.gate, candidate, incumbent)
    tracking.judge(logged, verdict, plan.alias)
    _clear(plan, objects)
    LOG.info("version %s: %s", logged.version, "passed the gate" if verdict.passed else "; ".join(verdict.reasons))
    return Outcome(logged=logged, metrics=measured.metrics, verdict=verdict)


def divide(plan: Plan, checked: pd.DataFrame, seed: int) -> tuple[Part, Part]:
    """Return the training and the held-out part.

    Raises:
        ProjectError: the target is missing, does not fit the gate, or has too few rows.
    """
    table: Any = checked
    held = table[plan.target] if plan.target in table.columns else None
    if isinstance(held, pd.Series) and not has_missing(held):
        check_target(held, plan.gate)
    return split(checked, plan.target, plan.holdout, classes=not plan.gate.of_numbers, seed=seed)


def _read(plan: Plan, source: Source, worker: Worker) -> Dataset:
    known = worker.contract()
    text = TextColumns(names=frozenset(known.names), patterns=tuple(re.compile(each) for each in known.patterns))
    options = ReadOptions(missing_values=plan.missing_values, text_columns=text, patience_seconds=plan.patience_seconds)
    data = load(source, options)
    LOG.info("read %d rows from %s, digest %s", len(data.frame), data.source, data.digest)
    return data


def _tags(plan: Plan, data: Dataset) -> Mapping[str, str]:
    return {
        records.JOB: plan.job,
        records.CODE_REVISION: plan.revision,
        records.DATA_DIGEST: data.digest,
        records.DATA_SOURCE: data.source,
    }


def _split_seed(plan: Plan, objects: Objects) -> int:
    """Return the seed that decides which rows are held out. It is a secret of the project, and always the same.

    With a public seed a contract could identify the held-out rows and drop the hard ones.
    """
    key = keys.split_key(plan.project)
    held = objects.get(key)
    if held is None:
        made = json.dumps({"seed": secrets.randbelow(_SEEDS)}).encode()
        held = made if objects.put_first(key, made) else objects.get(key)
    try:
        return int(json.loads(held or b"")["seed"]) % _SEEDS
    except (ValueError, KeyError, TypeError):
        raise PlatformError(f"the object {key} holds no seed; delete it, and the next run makes another") from None


def _trained(plan: Plan, rows: pd.DataFrame, pods: Pods, objects: Objects) -> bytes:
    """Hand over the rows to train on, run the training, and return the model as a skops file."""
    content = tables.to_bytes(rows)
    objects.put(keys.training_part(plan.project, plan.training), content)
    pods.train(plan.training, tables.digest(content))
    saved = objects.get(keys.model(plan.project, plan.training))
    if saved is None:
        raise PlatformError(f"the training {plan.training} ended well and left no model; start the run again")
    return saved


def _clear(plan: Plan, objects: Objects) -> None:
    """Delete the objects that the run's pods exchanged. Lifecycle rules of the bucket delete leftovers."""
    prefixes = (keys.training_part(plan.project, plan.training), f"{keys.models(plan.project)}{plan.training}/")
    try:
        for key in [key for prefix in prefixes for key in objects.keys(prefix)]:
            objects.delete(key)
    except PlatformError as error:
        LOG.warning("what the run's pods handed to each other stays for now: %s", error)
