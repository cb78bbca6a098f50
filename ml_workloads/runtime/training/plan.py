"""The plan of a training: inputs of the project's code, and requirements on the model."""

from __future__ import annotations

from dataclasses import dataclass

from ml_workloads.runtime.contract import Contract
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.training.calling import Train


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of a training.

    `train` is the project's function: it receives inputs and target, and returns a model with `predict`. `holdout` is
    the share that a trial on few rows evaluates on, and `trusted_types` are the types that a saved model may hold in
    addition to scikit-learn's own.
    """

    contract: Contract
    target: str
    train: Train
    gate: Gate
    holdout: float = 0.2
    trusted_types: tuple[str, ...] = ()
