"""One training in the project's own pod: it has the rows to train on, and hands over a model and the logged values.

Checks here report mistakes to the project's team within seconds. None of them is a verdict: the conductor checks the
model again, where this code does not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ml_workloads.runtime import trusted_types
from ml_workloads.runtime.contract import check
from ml_workloads.runtime.handover.logged import Logged
from ml_workloads.runtime.training import inside
from ml_workloads.runtime.training.calling import call_train
from ml_workloads.runtime.training.local_tracking import LocalTracking
from ml_workloads.runtime.training.plan import Plan
from ml_workloads.runtime.training.preflight import check_model, check_objects, preflight, sample
from ml_workloads.runtime.training.split import part_of

__all__ = ["Plan", "Trained", "train"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The result of a training.

    `saved` is the model as a skops file; `files` are the logged files, by the numbers in `logged`.
    """

    saved: bytes
    logged: Logged
    files: Mapping[str, Path]


def train(plan: Plan, rows: pd.DataFrame, tracking: LocalTracking) -> Trained:
    """Train on all rows, after a trial on a few.

    Args:
        plan: The plan of the training.
        rows: The rows to train on, as they were read.
        tracking: The store that `mlflow` in the project's code logs to.

    Raises:
        ProjectError: a known mistake, in one sentence.
        Exception: any other exception of the project's code.
    """
    check_objects(plan)
    checked = check(rows, plan.contract, plan.target)
    part = part_of(checked, plan.target)
    preflight(plan, part)
    with tracking.active():
        model = call_train(plan.train, part)
    with inside.without_autologging():
        check_model(plan, model, part, sample(part, plan.gate))
        saved = trusted_types.save(model)
    logged, files = tracking.logged()
    return Trained(saved=saved, logged=logged, files=files)
