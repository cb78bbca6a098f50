"""The order of aliases: which version may get an alias, and which version had it before.

Training sets the first alias. Each further alias is given to the version that has the alias before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ml_workloads.project.deployment_names import ALIASES
from ml_workloads.promotion.moves import Move

PROMOTED_ALIASES: Final = ALIASES[1:]
BELOW: Final[Mapping[str, str]] = dict(zip(ALIASES[1:], ALIASES, strict=False))
"""For each alias that a promotion gives, the alias that the version must already have."""


class PromotionError(ValueError):
    """The promotion is rejected, whatever the result of the gate. The message says why and what to do."""


def choose(project: str, target: str, aliases: Mapping[str, str], asked: str | None) -> str:
    """Return the version to promote: the one that has the alias below, or the requested one.

    A version that training's gate rejected because another version was better may be requested as `staging`: the gate
    compares it with the current version. `production` accepts only the version that has `staging`.

    Args:
        project: name of the project, for error messages.
        target: the alias that the promotion gives.
        aliases: the versions by their aliases.
        asked: the requested version; None for the version that has the alias below.

    Raises:
        PromotionError: no version has the alias below, or the requested version does not have it.
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
    """Return the versions that an alias named, first to last, without those that were rolled back.

    A promotion pushes a version onto the stack, a rollback pops the versions above the one that it returned to.
    """
    stack: list[str] = []
    for move in moves:
        if move.kind == "rollback":
            while stack and stack[-1] != move.version:
                stack.pop()
        # A move is recorded twice if its alias could not be moved at the first attempt.
        if stack[-1:] == [move.version]:
            continue
        by_hand = move.came_from if move.kind == "promote" and stack[-1:] != [move.came_from] else None
        stack += [by_hand, move.version] if by_hand and by_hand != move.version else [move.version]
    return tuple(stack)


def moved_by_hand(alias: str, stack: Sequence[str], current: str | None) -> str | None:
    """Return a warning if the alias does not name the last version of the record.

    Return None if it does, or if there is no record.
    """
    if not stack or stack[-1] == current:
        return None
    now = f"it names version {current}" if current else "it names none"
    return f"somebody moved {alias} by hand: the record of moves ends with version {stack[-1]}, and {now}"


def earlier(stack: Sequence[str], current: str | None) -> tuple[str, ...]:
    """Return the versions for a rollback, nearest first.

    After a move by hand the nearest is the last version of the record.
    """
    left = list(stack)
    if left and left[-1] == current:
        left.pop()
    return tuple(reversed(left))
