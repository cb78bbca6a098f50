"""The ladder of aliases: which version may go where, and which one was there before.

Training gives the first alias; each further one is given to the version that has the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ml_workloads.project.deployment_names import ALIASES
from ml_workloads.promotion.moves import Move

PROMOTED_ALIASES: Final = ALIASES[1:]
BELOW: Final[Mapping[str, str]] = dict(zip(ALIASES[1:], ALIASES, strict=False))
"""For each alias that a promotion gives, the one that the version must have before."""


class PromotionError(ValueError):
    """It is refused, whatever the gate would say. The message says why and what to do."""


def choose(project: str, target: str, aliases: Mapping[str, str], asked: str | None) -> str:
    """The version to promote: the one that has the alias below, or the one that was asked for.

    A version that training's gate refused, because another was better, may be asked for as `staging`: the gate is held
    against what is there. `production` takes nothing that is not `staging`.
    """
    below = BELOW[target]
    has_it = aliases.get(below)
    if asked is not None and (below == ALIASES[0] or asked == has_it):
        return asked
    if asked is not None:
        named = f"{below} names version {has_it}" if has_it else f"no version has {below}"
        fix = f"mlp promote {project} --to {below} --version {asked}"
        raise PromotionError(f"version {asked} does not have the alias {below} ({named}); first `{fix}`")
    if has_it is None:
        first = f"mlp train {project}" if below == ALIASES[0] else f"mlp promote {project} --to {below}"
        raise PromotionError(f"no version has the alias {below} yet, so there is nothing to promote; first `{first}`")
    return has_it


def replay(moves: Sequence[Move]) -> tuple[str, ...]:
    """Versions that an alias named, first to last, without those that were gone back from: a promotion puts one on top,
    a rollback takes away what is above the one it went to."""
    stack: list[str] = []
    for move in moves:
        if move.kind == "rollback":
            while stack and stack[-1] != move.version:
                stack.pop()
        # One whose alias could not be moved the first time is recorded twice.
        if stack[-1:] == [move.version]:
            continue
        by_hand = move.came_from if move.kind == "promote" and stack[-1:] != [move.came_from] else None
        stack += [by_hand, move.version] if by_hand and by_hand != move.version else [move.version]
    return tuple(stack)


def moved_by_hand(alias: str, stack: Sequence[str], current: str | None) -> str | None:
    """What to say when the alias does not name what the record ends with; None when it does, or there is no record."""
    if not stack or stack[-1] == current:
        return None
    now = f"it names version {current}" if current else "it names none"
    return f"somebody moved {alias} by hand: the record of moves ends with version {stack[-1]}, and {now}"


def earlier(stack: Sequence[str], current: str | None) -> tuple[str, ...]:
    """Versions to go back to, nearest first. After a move by hand the nearest is what the record ends with."""
    left = list(stack)
    if left and left[-1] == current:
        left.pop()
    return tuple(reversed(left))
