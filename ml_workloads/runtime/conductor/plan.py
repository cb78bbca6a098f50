"""The plan of a training run, as the conductor has it: nothing of the project's code is in it."""

from __future__ import annotations

from dataclasses import dataclass

from ml_workloads.runtime.data import PATIENCE_SECONDS
from ml_workloads.runtime.gate import Gate


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does.

    `job` is the same for all attempts of one run, `alias` what a model that passes is given, and `trusted_types` what
    a saved model may hold beyond scikit-learn's own types.
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
