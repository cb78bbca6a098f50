"""The conductor's plan of a training run. It contains nothing of the project's code."""

from __future__ import annotations

from dataclasses import dataclass

from ml_workloads.runtime.data import PATIENCE_SECONDS
from ml_workloads.runtime.gate import Gate


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of a run.

    `job` is the same for all attempts of one run, `alias` is given to a model that passes the gate, and `trusted_types`
    are the types that a saved model may hold in addition to scikit-learn's own.
    """

    project: str
    job: str
    revision: str
    target: str
    holdout: float
    gate: Gate
    alias: str
    trusted_types: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ("",)
    patience_seconds: float = PATIENCE_SECONDS

    @property
    def training(self) -> str:
        """Return the name of the Job that runs the project's `train`."""
        return f"{self.job}-fit"
