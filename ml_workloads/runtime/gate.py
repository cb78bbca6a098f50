"""The promotion gate: it decides whether a model is good enough, and not worse than the current one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Metric = Literal["accuracy", "precision", "recall", "f1", "roc_auc", "rmse", "mae", "r2"]
# Lower is better for errors, higher for scores. All scores except r2 are between 0 and 1.
ERRORS: frozenset[str] = frozenset({"rmse", "mae"})
NUMBERS: frozenset[str] = ERRORS | {"r2"}
"""Metrics of a numeric target; the others are for classes."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A quality gate.

    `bound` is the minimum of a score or the maximum of an error. `max_regression` is in the metric's own unit.
    """

    metric: Metric
    bound: float
    max_regression: float = 0.0

    @property
    def less_is_better(self) -> bool:
        return self.metric in ERRORS

    @property
    def of_numbers(self) -> bool:
        """Return whether the target is numeric and not a class."""
        return self.metric in NUMBERS


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Properties of a model that the gate examines."""

    metrics: Mapping[str, float]
    data_met_contract: bool
    has_signature: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of a gate.

    `reasons` say with numbers why the model was rejected; a model that passed has none. `incumbent` is None for the
    first model.
    """

    metric: Metric
    value: float | None
    bound: float
    incumbent: float | None
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.reasons


def decide(gate: Gate, candidate: Candidate, incumbent: Mapping[str, float] | None) -> Verdict:
    """Compare a candidate with the bound of the gate, and with the metrics of the current model if there is one.

    If the incumbent lacks the gate's metric, the comparison is skipped: the gate may have changed since.
    """
    value = candidate.metrics.get(gate.metric)
    before = (incumbent or {}).get(gate.metric)
    return Verdict(
        metric=gate.metric,
        value=value,
        bound=gate.bound,
        incumbent=before,
        reasons=tuple(_reasons(gate, candidate, value, before)),
    )


def _reasons(gate: Gate, candidate: Candidate, value: float | None, before: float | None) -> Iterator[str]:
    if not candidate.data_met_contract:
        yield "its data was not held against the contract"
    if not candidate.has_signature:
        yield "it has no signature, so nobody can tell what it takes and answers"
    if value is None:
        yield f"it has no {gate.metric}; measured: {', '.join(sorted(candidate.metrics)) or 'nothing'}"
        return
    if not math.isfinite(value):
        yield f"its {gate.metric} is {value}, which is no number to compare"
        return
    if value > gate.bound if gate.less_is_better else value < gate.bound:
        wanted = "at most" if gate.less_is_better else "at least"
        yield f"{gate.metric} is {value:.4g}, it must be {wanted} {gate.bound:.4g}"
    if before is None or not math.isfinite(before):
        return
    worse = value - before if gate.less_is_better else before - value
    # Two runs of one model differ in the last digits.
    if worse > gate.max_regression + 1e-9:
        yield (
            f"{gate.metric} is {value:.4g}, {worse:.4g} worse than {before:.4g} of the model that is there; "
            f"{gate.max_regression:.4g} is allowed"
        )
