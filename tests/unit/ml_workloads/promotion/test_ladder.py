"""Tables of allowed promotions and of rollback targets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from ml_workloads.promotion.ladder import PROMOTED_ALIASES, PromotionError, choose, earlier, moved_by_hand, replay
from ml_workloads.promotion.moves import Kind, Move

ALIASES = {"dev": "7", "staging": "6", "production": "5"}


@pytest.mark.parametrize(
    ("target", "asked", "chosen"),
    [
        ("staging", None, "7"),
        ("production", None, "6"),
        ("staging", "3", "3"),
        ("production", "6", "6"),
    ],
)
def test_the_version_that_has_the_alias_below_goes_up(target: str, asked: str | None, chosen: str):
    assert choose("churn", target, ALIASES, asked) == chosen


@pytest.mark.parametrize(
    ("target", "asked", "aliases", "said"),
    [
        ("staging", None, {}, "no version has the alias dev yet.*`mlp train churn`"),
        ("production", None, {"dev": "7"}, "no version has the alias staging.*`mlp promote churn --to staging`"),
        ("production", "7", ALIASES, r"version 7 does not have the alias staging \(staging names version 6\)"),
        ("production", "7", {"dev": "7"}, r"\(no version has staging\).*`mlp promote churn --to staging --version 7`"),
    ],
)
def test_what_did_not_pass_below_is_refused_with_the_next_step(
    target: str, asked: str | None, aliases: Mapping[str, str], said: str
):
    with pytest.raises(PromotionError, match=said):
        choose("churn", target, aliases, asked)


def test_nobody_promotes_to_what_training_gives():
    assert PROMOTED_ALIASES == ("staging", "production")


def moves(*told: tuple[Kind, str, str | None]) -> list[Move]:
    """Build moves from tuples (kind, version, from)."""
    at = datetime(2026, 10, 24, tzinfo=UTC)
    return [
        Move(alias="production", version=version, came_from=came_from, by="jo", at=at, kind=kind)
        for kind, version, came_from in told
    ]


THREE = moves(("promote", "1", None), ("promote", "2", "1"), ("promote", "3", "2"))


@pytest.mark.parametrize(
    ("record", "stack"),
    [
        ([], ()),
        (THREE, ("1", "2", "3")),
        ([*THREE, *moves(("rollback", "2", "3"))], ("1", "2")),
        ([*THREE, *moves(("rollback", "2", "3"), ("rollback", "1", "2"))], ("1",)),
        ([*THREE, *moves(("rollback", "1", "3"))], ("1",)),  # 2 was deleted
        ([*THREE, *moves(("rollback", "2", "3"), ("promote", "4", "2"))], ("1", "2", "4")),
        ([*THREE, *moves(("promote", "1", "3"))], ("1", "2", "3", "1")),
        # Recorded twice, because the alias could not be moved the first time.
        ([*THREE, *moves(("promote", "3", "2"))], ("1", "2", "3")),
        # Somebody put 5 there by hand, before 6 was promoted.
        ([*THREE, *moves(("promote", "6", "5"))], ("1", "2", "3", "5", "6")),
        # By hand, before there was a record.
        (moves(("promote", "2", "1")), ("1", "2")),
        ([*THREE, *moves(("rollback", "3", "5"))], ("1", "2", "3")),
        (moves(("rollback", "9", "3")), ("9",)),
    ],
)
def test_the_record_is_replayed_as_a_stack(record: list[Move], stack: tuple[str, ...]):
    assert replay(record) == stack


@pytest.mark.parametrize(
    ("stack", "current", "targets"),
    [
        (("1", "2", "3"), "3", ("2", "1")),
        (("1",), "1", ()),
        ((), "1", ()),
        (("1", "2", "3"), "5", ("3", "2", "1")),  # by hand: back to what the record says
        (("1", "2"), None, ("2", "1")),
    ],
)
def test_a_rollback_goes_to_the_nearest_before(stack: tuple[str, ...], current: str | None, targets: tuple[str, ...]):
    assert earlier(stack, current) == targets


@pytest.mark.parametrize(
    ("stack", "current", "said"),
    [
        (("1", "3"), "3", None),
        ((), "5", None),
        (("1", "3"), "5", "the record of moves ends with version 3, and it names version 5"),
        (("1", "3"), None, "the record of moves ends with version 3, and it names none"),
    ],
)
def test_a_move_by_hand_is_noticed(stack: tuple[str, ...], current: str | None, said: str | None):
    found = moved_by_hand("production", stack, current)
    assert found == (f"somebody moved production by hand: {said}" if said else None)
