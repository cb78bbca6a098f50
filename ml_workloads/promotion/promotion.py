"""Promotion: check a version against the quality gate, report the numbers, and move the alias."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_workloads.promotion.ladder import PromotionError, choose, moved_by_hand, replay
from ml_workloads.promotion.moves import GateNumbers, Move, next_moment, read
from ml_workloads.promotion.registry import ModelRegistry
from ml_workloads.runtime.gate import Candidate, Gate, Verdict, decide


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """The result of checking a promotion.

    Attributes:
        target: the alias.
        version: the version to promote.
        before: the version that has the alias now.
        already: the version has the alias already; there is nothing to do, and `verdict` is None.
        gate: the quality gate.
        compared_with: the version that the gate compared with.
        verdict: the result of the gate.
        run_id: the run of the version.
        notes: remarks for the person who promotes.
    """

    target: str
    version: str
    before: str | None
    already: bool
    gate: Gate
    compared_with: str | None = None
    verdict: Verdict | None = None
    run_id: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.already or (self.verdict is not None and self.verdict.passed)

    def as_dict(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        verdict = self.verdict
        return {
            "alias": self.target,
            "version": self.version,
            "from": self.before,
            "already": self.already,
            "allowed": self.allowed,
            "run_id": self.run_id,
            "gate": {
                "metric": self.gate.metric,
                "value": verdict.value if verdict else None,
                "bound": self.gate.bound,
                "incumbent": verdict.incumbent if verdict else None,
                "incumbent_version": self.compared_with,
                "max_regression": self.gate.max_regression,
            },
            "reasons": list(verdict.reasons) if verdict else [],
            "notes": list(self.notes),
        }


def consider(registry: ModelRegistry, gate: Gate, target: str, asked: str | None = None) -> Promotion:
    """Check the version to promote against the gate and against the version that has the alias now. Changes nothing.

    Raises:
        PromotionError: there is nothing to promote, or the version does not have the alias below.
        RecordError: the record of moves cannot be read.
    """
    standing = registry.standing()
    version = choose(registry.name, target, standing.aliases, asked)
    before = standing.aliases.get(target)
    stack = replay(read(standing.tags, target))
    by_hand = moved_by_hand(target, stack, before)
    notes = [by_hand] if by_hand else []
    if version == before and not by_hand:
        return Promotion(target=target, version=version, before=before, already=True, gate=gate)
    # A version that somebody moved by hand never passed the gate. Compare it with the version before it.
    compared_with = (stack[-1] if by_hand else None) if version == before else before
    found = registry.version(version)
    incumbent = None
    if compared_with is not None and registry.exists(compared_with):
        incumbent = registry.version(compared_with, with_signature=False).metrics
    if compared_with is not None and gate.metric not in (incumbent or {}):
        notes.append(f"version {compared_with} has no {gate.metric} to compare with")
    candidate = Candidate(
        metrics=found.metrics, data_met_contract=found.data_met_contract, has_signature=found.has_signature
    )
    verdict = decide(gate, candidate, incumbent)
    if found.problem:
        verdict = Verdict(
            metric=verdict.metric,
            value=verdict.value,
            bound=verdict.bound,
            incumbent=verdict.incumbent,
            reasons=(found.problem, *verdict.reasons),
        )
    return Promotion(
        target=target,
        version=version,
        before=before,
        already=False,
        gate=gate,
        compared_with=compared_with,
        verdict=verdict,
        run_id=found.run_id,
        notes=tuple(notes),
    )


def carry_out(registry: ModelRegistry, promotion: Promotion, by: str, now: datetime) -> Move:
    """Move the alias, and record who did it and the numbers of the gate.

    Raises:
        PromotionError: the version did not pass the gate.
    """
    verdict = promotion.verdict
    if verdict is None or not verdict.passed:
        raise PromotionError("nothing is moved without a verdict that passed")
    move = Move(
        alias=promotion.target,
        version=promotion.version,
        came_from=promotion.before,
        by=by,
        account=registry.account,
        at=next_moment(read(registry.standing().tags, promotion.target), now),
        kind="promote",
        run_id=promotion.run_id,
        gate=GateNumbers(
            metric=verdict.metric,
            value=verdict.value,
            bound=verdict.bound,
            incumbent=verdict.incumbent,
            max_regression=promotion.gate.max_regression,
        ),
    )
    registry.move(move)
    return move
