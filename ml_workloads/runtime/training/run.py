"""One training run from its data to what the gate says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_workloads.runtime import records
from ml_workloads.runtime.contract import check
from ml_workloads.runtime.data import load
from ml_workloads.runtime.evaluation import evaluate_classifier, evaluate_regressor, gaps
from ml_workloads.runtime.gate import Candidate, Gate, Verdict, decide
from ml_workloads.runtime.serving.columns import describe
from ml_workloads.runtime.training import inside
from ml_workloads.runtime.training.calling import call_train
from ml_workloads.runtime.training.plan import Plan
from ml_workloads.runtime.training.preflight import check_model, check_objects, divide, preflight
from ml_workloads.runtime.training.split import Part
from ml_workloads.runtime.training.telling import reason
from ml_workloads.runtime.training.tracking import Logged, Tracking

__all__ = ["Outcome", "Plan", "run"]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    logged: Logged
    metrics: Mapping[str, float]
    verdict: Verdict


def run(plan: Plan, tracking: Tracking) -> Outcome:
    """Train, measure, record and judge. A model that the gate refuses is recorded too, but gets no alias.

    Raises:
        ProjectError: a mistake in the data or the project; nothing is registered then.
        PlatformError: MLflow or another service did not answer for long.
        Exception: whatever else the project's code raises.
    """
    check_objects(plan)
    data = load(plan.source, plan.options)
    LOG.info("read %d rows from %s, digest %s", len(data.frame), data.source, data.digest)
    tags = {
        records.JOB: plan.job,
        records.CODE_REVISION: plan.revision,
        records.DATA_DIGEST: data.digest,
        records.DATA_SOURCE: data.source,
    }
    run_id = tracking.begin(tags, {records.TARGET: plan.target, records.HOLDOUT: str(plan.holdout)})
    try:
        checked = check(data.frame, plan.contract, plan.target)
        LOG.info("the data meets its contract")
        tracking.met_contract(run_id)
        preflight(plan, checked)
        training, held_out = divide(plan, checked)
        # A value that is missing in a held-out row only is measured as well, and may come in a request.
        inputs = checked.drop(columns=plan.target)
        with tracking.active(run_id):
            model = call_train(plan.train, training)
        with inside.without_autologging():
            check_model(plan, model, training, held_out, describe(inputs))
            metrics = _measure(plan.gate, model, training, held_out)
        LOG.info("measured %s", ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
        incumbent = tracking.incumbent(plan.alias)
        logged = tracking.finish(run_id, model, inputs, metrics, plan.trusted_types)
    except BaseException as error:
        tracking.fail(run_id, reason(error))
        raise
    candidate = Candidate(metrics=metrics, data_met_contract=True, has_signature=logged.has_signature)
    verdict = decide(plan.gate, candidate, incumbent)
    tracking.judge(logged, verdict, plan.alias)
    LOG.info("version %s: %s", logged.version, "passed the gate" if verdict.passed else "; ".join(verdict.reasons))
    return Outcome(logged=logged, metrics=metrics, verdict=verdict)


def _measure(gate: Gate, model: Any, training: Part, held_out: Part) -> Mapping[str, float]:
    """Of the held-out part, and by how much those of the training part are better."""
    evaluate = evaluate_regressor if gate.of_numbers else evaluate_classifier
    found = evaluate(model, held_out.inputs, held_out.target)
    return {**found, **gaps(evaluate(model, training.inputs, training.target), found)}
