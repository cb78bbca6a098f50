"""Evaluates a trained model on rows that its training never saw, where the project's code does not run.

A model that consists only of reviewed types is loaded here. A model with types of the project's own is loaded in a
worker, which gets rows without their target and has no connection to anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pandas as pd
import skops.io as skops

from ml_workloads.runtime import trusted_types
from ml_workloads.runtime.conductor.asked import Worker, asked
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.evaluation import evaluate_classifier, evaluate_regressor, gaps
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.serving.columns import describe
from ml_workloads.runtime.training.returned import check_returned
from ml_workloads.runtime.training.servable import ROWS, refuse, request_problems
from ml_workloads.runtime.training.split import Part


class UnservableModelError(ProjectError):
    """The model cannot be served. The message names the reason and the fix."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Evaluation of a model.

    `description` describes the inputs of all rows, `answers` are the predictions for `sample`.
    """

    metrics: Mapping[str, float]
    description: dict[str, Any]
    sample: pd.DataFrame
    answers: Any


def measure(
    plan: Plan,
    saved: bytes,
    inputs: pd.DataFrame,
    training: Part,
    held_out: Part,
    worker: Callable[[], AbstractContextManager[Worker]],
) -> Measured:
    """Load a model here or in a worker, check that it can be served, and evaluate it.

    Args:
        plan: The plan of the run, with gate and trusted types.
        saved: The model as a skops file.
        inputs: The inputs of all rows.
        training: The part that the model was trained on.
        held_out: The part that the model is evaluated on.
        worker: Starts a worker that has seen nothing of this run. It is used only if the model needs it.

    Raises:
        ProjectError: the model holds types that are not trusted, cannot be evaluated or cannot be served.
    """
    refuse("saved", trusted_types.untrusted(saved, plan.trusted_types))
    if not trusted_types.untrusted(saved, ()):
        model = skops.loads(saved, trusted=trusted_types.needed(saved, ()))
        return _measured(plan.gate, model, inputs, training, held_out)
    with worker() as asks:
        return _measured(plan.gate, asked(asks, saved), inputs, training, held_out)


def _measured(gate: Gate, model: Any, inputs: pd.DataFrame, training: Part, held_out: Part) -> Measured:
    description = describe(inputs)
    check_returned(gate, model, held_out, training.target)
    sample = training.inputs.head(ROWS)
    found = list(request_problems(model, model, sample, description))
    if found:
        raise UnservableModelError("; ".join(found))
    evaluate = evaluate_regressor if gate.of_numbers else evaluate_classifier
    metrics = evaluate(model, held_out.inputs, held_out.target)
    metrics = {**metrics, **gaps(evaluate(model, training.inputs, training.target), metrics)}
    return Measured(metrics=metrics, description=description, sample=sample, answers=model.predict(sample))
