"""One training run from its data to what the gate says.

The project's code runs in two places, and in neither of them the verdict is made. A worker holds the data against the
contract, and later answers for a model that needs the project's code; it has no rights and no way out. The training
pod gets the rows to train on, and nothing of those that are held out.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

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
from ml_workloads.runtime.training.split import Part, split
from ml_workloads.runtime.training.target import check_target
from ml_workloads.runtime.training.telling import reason

LOG = logging.getLogger(__name__)
CHECK, JUDGE = "check", "judge"
"""Ends of the names of the workers' Jobs."""

_SEEDS: Final = 2**32


class Pods(Protocol):
    """What runs the project's code."""

    def worker(self, name: str) -> AbstractContextManager[Worker]:
        """Start a new worker. It is gone at the end of the block."""
        ...

    def train(self, job: str, part: str) -> None:
        """Run the project's training until it ends; `part` is the digest of the rows that it is given.

        Raises:
            ProjectError: the project's code or its data is wrong.
            TrainingError: the training failed otherwise; the message says how.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    logged: Logged
    metrics: Mapping[str, float]
    verdict: Verdict


def conduct(
    plan: Plan, source: Callable[[Worker], Source], pods: Pods, objects: Objects, tracking: Tracking
) -> Outcome:
    """Let train, measure, record and judge. A model that the gate refuses is recorded too, but gets no alias.

    Args:
        plan: What the run does.
        source: Where the data is; data in the project's image is read through the worker.
        pods: Run the project's code.
        objects: What pods of the run hand to each other.
        tracking: Where runs and models are recorded.

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
        inputs = checked.drop(columns=plan.target)
        saved = _trained(plan, data.frame.loc[training.inputs.index], pods, objects)
        measured = measure(plan, saved, inputs, training, held_out, lambda: pods.worker(JUDGE))
        LOG.info("measured %s", ", ".join(f"{name} {value:.4g}" for name, value in measured.metrics.items()))
        incumbent = tracking.incumbent(plan.alias)
        tracking.copy(run_id, plan, objects)
        logged = tracking.finish(run_id, TrainedModel.of(saved, measured, plan.trusted_types), measured.metrics)
    except BaseException as error:
        tracking.fail(run_id, reason(error))
        if isinstance(error, ProjectError):
            _clear(plan, objects)
        # Otherwise the next attempt goes on with what there is.
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
        ProjectError: the target is not there, does not fit the gate, or there is too little of it.
    """
    held = checked[plan.target] if plan.target in checked.columns else None
    if isinstance(held, pd.Series) and not bool(held.isna().any()):
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
    """Return the number that decides which rows are held out: a secret of the project's, always the same.

    With a number that everybody knows, a contract could find the held-out rows and leave the hard ones out.
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
    """Hand over the rows to train on, let train, and return the model as a skops file."""
    content = tables.to_bytes(rows)
    objects.put(keys.training_part(plan.project, plan.training), content)
    pods.train(plan.training, tables.digest(content))
    saved = objects.get(keys.model(plan.project, plan.training))
    if saved is None:
        raise PlatformError(f"the training {plan.training} ended well and left no model; start the run again")
    return saved


def _clear(plan: Plan, objects: Objects) -> None:
    """Delete what the run's pods handed to each other. The bucket's own rules delete what is left."""
    prefixes = (keys.training_part(plan.project, plan.training), f"{keys.models(plan.project)}{plan.training}/")
    try:
        for key in [key for prefix in prefixes for key in objects.keys(prefix)]:
            objects.delete(key)
    except PlatformError as error:
        LOG.warning("what the run's pods handed to each other stays for now: %s", error)
