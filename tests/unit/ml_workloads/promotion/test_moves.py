"""Moves survive storage as tags and keep their order despite clock differences; invalid tags are reported."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ml_workloads.promotion.moves import MAX_VALUE, GateNumbers, Move, RecordError, next_moment, read, written

NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
NUMBERS = GateNumbers(metric="f1", value=0.95, bound=0.9, incumbent=0.94, max_regression=0.01)
MOVE = Move(
    alias="production",
    version="3",
    came_from="2",
    by="arn:aws:sts::123456789012:assumed-role/team/jo",
    at=NOON,
    kind="promote",
    run_id="4f2a",
    gate=NUMBERS,
)


@pytest.mark.parametrize("move", [MOVE, replace(MOVE, came_from=None), replace(MOVE, kind="rollback", gate=None)])
def test_a_move_is_read_as_it_was_written(move: Move):
    key, value = written(move)
    assert read({key: value}, "production") == (move,)
    assert key == "move.production.20261024T120000.000000Z"


def test_a_move_says_who_was_signed_in_and_an_old_one_need_not():
    key, value = written(replace(MOVE, account="churn"))
    assert json.loads(value)["account"] == "churn"
    assert read({key: value}, "production")[0].account == "churn"
    old = {name: said for name, said in json.loads(value).items() if name != "account"}
    assert read({key: json.dumps(old)}, "production")[0].account is None


def test_moves_come_in_the_order_of_their_time_and_each_alias_has_its_own():
    tags = dict(written(replace(MOVE, version=str(n), at=NOON + timedelta(seconds=n))) for n in (10, 2, 1))
    tags |= dict([written(replace(MOVE, alias="staging"))])
    tags |= {"owner": "jo", "move.production": "x", "move.production.yesterday": "x"}
    assert [move.version for move in read(tags, "production")] == ["1", "2", "10"]
    assert [move.alias for move in read(tags, "staging")] == ["staging"]


@pytest.mark.parametrize(
    "value",
    ["", "moved", "[]", "{}", '{"kind": "promote"}', written(MOVE)[1].replace("promote", "delete")],
)
def test_a_tag_that_is_no_move_is_named(value: str):
    key, _ = written(MOVE)
    with pytest.raises(RecordError, match=r"move\.production\.20261024T120000\.000000Z .* ask the administrator"):
        read({key: value}, "production")


def test_a_clock_that_is_behind_does_not_change_the_order():
    assert next_moment([], NOON) == NOON
    assert next_moment([MOVE], NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)
    behind = next_moment([MOVE], NOON - timedelta(hours=1))
    keys = [written(MOVE)[0], written(replace(MOVE, at=behind))[0]]
    assert keys == sorted(set(keys))


def test_an_incumbent_without_a_number_can_be_recorded():
    key, value = written(replace(MOVE, gate=replace(NUMBERS, incumbent=float("nan"))))
    (move,) = read({key: value}, "production")
    assert move.gate is not None
    assert move.gate.incumbent is None


def test_what_mlflow_would_not_keep_is_refused_before():
    assert len(written(replace(MOVE, by="x" * 2048))[1]) < MAX_VALUE  # as long as an ARN may be
    with pytest.raises(RecordError, match="5000 at most"):
        written(replace(MOVE, by="x" * MAX_VALUE))
