"""The plan of a training run: what it reads, checks, trains and measures."""

from __future__ import annotations

from dataclasses import dataclass

from ml_workloads.runtime.contract import Contract
from ml_workloads.runtime.data import PATIENCE_SECONDS, ReadOptions, Source, text_columns
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.training.calling import Train


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run does. `train` is the project's: it is given inputs and target, and returns a model with `predict`.

    `job` is the same for all attempts of one run, `alias` what a model that passes is given, and `trusted_types` what
    a saved model may hold beyond scikit-learn's own types.
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
    trusted_types: tuple[str, ...] = ()
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
