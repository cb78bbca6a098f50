"""Rollback to the version that an alias named before. Two rollbacks go two versions back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_workloads.promotion.ladder import PromotionError, earlier, moved_by_hand, replay
from ml_workloads.promotion.moves import Move, next_moment, read
from ml_workloads.promotion.registry import ModelRegistry


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """The result of checking a rollback.

    `version` is the version to return to, `before` the one that the alias names now.
    """

    alias: str
    version: str
    before: str | None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        return {"alias": self.alias, "version": self.version, "from": self.before, "notes": list(self.notes)}


def consider_rollback(registry: ModelRegistry, alias: str) -> Rollback:
    """Return the rollback to the nearest earlier version that still exists.

    No gate is needed: the version passed one already.

    Raises:
        PromotionError: there is no earlier version.
        RecordError: the record of moves cannot be read.
    """
    standing = registry.standing()
    current = standing.aliases.get(alias)
    stack = replay(read(standing.tags, alias))
    by_hand = moved_by_hand(alias, stack, current)
    notes = [by_hand] if by_hand else []
    for version in earlier(stack, current):
        if version == current:
            continue
        if registry.exists(version):
            return Rollback(alias=alias, version=version, before=current, notes=tuple(notes))
        notes.append(f"version {version} was deleted")
    now = f"{alias} names version {current}" if current else f"no version has {alias}"
    because = f" ({'; '.join(notes)})" if notes else ""
    raise PromotionError(
        f"there is nothing to go back to: {now}, and the record of moves has no earlier one{because}; "
        f"to put another there, `mlp promote {registry.name} --to {alias} --version N`"
    )


def roll_back(registry: ModelRegistry, rollback: Rollback, by: str, now: datetime) -> Move:
    """Move the alias back, and record who did it."""
    move = Move(
        alias=rollback.alias,
        version=rollback.version,
        came_from=rollback.before,
        by=by,
        account=registry.account,
        at=next_moment(read(registry.standing().tags, rollback.alias), now),
        kind="rollback",
    )
    registry.move(move)
    return move
