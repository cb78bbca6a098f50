"""The author of an alias or a verdict comes from the tags that MLflow's server writes; other tags are ignored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from mlflow_server.written_by import GATE_BY_TAG, is_written_by_server, of_alias, of_gate

from ml_workloads.promotion.writers import GATE_BY, alias_writes, gate_writer

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_what_the_server_writes_is_read_first_to_last():
    late = NOON + timedelta(seconds=1)
    tags = dict(
        [of_alias("production", "admin", None, late), of_alias("dev", "churn", "2", NOON), of_gate("churn", NOON)]
    )
    assert [(each.alias, each.version, each.account, each.before, each.at) for each in alias_writes("3", tags)] == [
        ("dev", "3", "churn", "2", NOON),
        ("production", "3", "admin", None, late),
    ]
    assert gate_writer(tags) == "churn"
    assert GATE_BY == GATE_BY_TAG


def test_an_alias_with_dots_and_dashes_keeps_its_name():
    (write,) = alias_writes("3", dict([of_alias("trial-b_2", "churn", None, NOON)]))
    assert write.alias == "trial-b_2"
    assert write.as_dict() == {
        "alias": "trial-b_2",
        "version": "3",
        "account": "churn",
        "from": None,
        "at": "2026-11-30T12:00:00+00:00",
    }


@pytest.mark.parametrize("value", ["", "churn", "[]", '["churn"]', "{}", '{"by": "churn"}'])
def test_what_is_no_record_is_passed_over(value: str):
    key, _ = of_alias("dev", "churn", None, NOON)
    assert alias_writes("3", {key: value, "alias.dev": value, "note": value}) == ()
    assert gate_writer({GATE_BY: value}) is None
    assert gate_writer({}) is None


def test_the_tags_are_those_that_the_server_lets_nobody_else_write():
    for key, _ in (of_alias("dev", "churn", None, NOON), of_gate("churn", NOON)):
        assert is_written_by_server(key)
    assert not is_written_by_server("gate")
    assert not is_written_by_server("aliased")
