"""One training run from its data to what the gate says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ml_workloads.runtime import records
from ml_workloads.runtime.contract import Contract, check
from ml_workloads.runtime.data import PATIENCE_SECONDS, ReadOptions, Source, load, text_columns
from ml_workloads.runtime.evaluation import evaluate_classifier, evaluate_regressor, gaps
from ml_workloads.runtime.gate import Candidate, Gate, Verdict, decide
from ml_workloads.runtime.training.split import Part, split
from ml_workloads.runtime.training.tracking import Logged, Tracking

LOG = logging.getLogger(__name__)
Train = Callable[[pd.DataFrame, Any], Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does. `train` is the project's: it is given inputs and target, and returns a model with `predict`.

    `job` is the same for all attempts of one run, `alias` what a model that passes is given.
    """

    job: str
    revision: str
    source: Source
    contract: Contract
    target: str
    holdout: float
    train: Train
    gate: Gate
    alias: str
    missing_values: tuple[str, ...] = ("",)
    patience_seconds: float = PATIENCE_SECONDS

    @property
    def options(self) -> ReadOptions:
        """Return how the data is read: what the contract has as text stays as written."""
        return ReadOptions(
            missing_values=self.missing_values,
            text_columns=text_columns(self.contract),
            patience_seconds=self.patience_seconds,
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    logged: Logged
    metrics: Mapping[str, float]
    verdict: Verdict


def run(plan: Plan, tracking: Tracking) -> Outcome:
    """Train, measure, record and judge. A model that the gate refuses is recorded too, but gets no alias.

    Raises:
        DataError, ContractError, SplitError: of the data; nothing is registered then.
        TrackingError: MLflow did not answer for long.
    """
    data = load(plan.source, plan.options)
    LOG.info("read %d rows from %s, digest %s", len(data.frame), data.source, data.digest)
    tags = {
        records.JOB: plan.job,
        records.CODE_REVISION: plan.revision,
        records.DATA_DIGEST: data.digest,
        records.DATA_SOURCE: data.source,
    }
    run_id = tracking.begin(tags, {"target": plan.target, "holdout": str(plan.holdout)})
    try:
        checked = check(data.frame, plan.contract)
        LOG.info("the data meets its contract")
        tracking.met_contract(run_id)
        training, held_out = split(checked, plan.target, plan.holdout, classes=not plan.gate.less_is_better)
        model = plan.train(training.inputs, training.target)
        metrics = _measure(plan.gate, model, training, held_out)
        LOG.info("measured %s", ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
        incumbent = tracking.incumbent(plan.alias)
        logged = tracking.finish(run_id, model, training.inputs, metrics)
    except BaseException as error:
        tracking.fail(run_id, f"{type(error).__name__}: {error}")
        raise
    candidate = Candidate(metrics=metrics, data_met_contract=True, has_signature=True)
    verdict = decide(plan.gate, candidate, incumbent)
    tracking.judge(logged, verdict, plan.alias)
    LOG.info("version %s: %s", logged.version, "passed the gate" if verdict.passed else "; ".join(verdict.reasons))
    return Outcome(logged=logged, metrics=metrics, verdict=verdict)


def _measure(gate: Gate, model: Any, training: Part, held_out: Part) -> Mapping[str, float]:
    """Of the held-out part, and by how much those of the training part are better."""
    evaluate = evaluate_regressor if gate.less_is_better else evaluate_classifier
    found = evaluate(model, held_out.inputs, held_out.target)
    return {**found, **gaps(evaluate(model, training.inputs, training.target), found)}
