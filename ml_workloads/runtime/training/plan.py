"""The plan of a training: what the project's code is given, and what a model has to be."""

from __future__ import annotations

from dataclasses import dataclass

from ml_workloads.runtime.contract import Contract
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.training.calling import Train


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`train` is the project's: it is given inputs and target, and returns a model with `predict`.

    `holdout` is the share that a trial on few rows measures on, and `trusted_types` what a saved model may hold beyond
    scikit-learn's own types.
    """

    contract: Contract
    target: str
    train: Train
    gate: Gate
    holdout: float = 0.2
    trusted_types: tuple[str, ...] = ()
