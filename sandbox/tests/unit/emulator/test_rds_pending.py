"""Start times of maintenance windows."""

from datetime import UTC, datetime, timedelta

import pytest

from mlp_sandbox.emulator.services.rds.pending import window_start

MONDAY = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "start"),
    [
        (MONDAY, MONDAY),
        (MONDAY - timedelta(seconds=1), MONDAY),
        (MONDAY - timedelta(days=6), MONDAY),
        (MONDAY + timedelta(seconds=1), MONDAY + timedelta(days=7)),
        (MONDAY + timedelta(days=3), MONDAY + timedelta(days=7)),
    ],
)
def test_a_window_begins_at_its_next_start(since: datetime, start: datetime):
    assert window_start("mon:05:00-mon:06:00", since) == start


def test_a_window_that_is_none_is_named():
    with pytest.raises(ValueError, match="'sometimes' is not written like mon:05:00-mon:06:00"):
        window_start("sometimes", MONDAY)
