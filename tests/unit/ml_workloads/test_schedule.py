"""Schedules have the same meaning as in Kubernetes."""

import pytest

from ml_workloads.project import parse_project
from ml_workloads.project.schedule import schedule
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.ml_workloads.schedules import NEVER, REFUSED, TAKEN
from tests.unit.spoiling import spoil


@pytest.mark.parametrize("text", TAKEN)
def test_what_kubernetes_takes_is_taken_as_it_is_written(text: str):
    project = parse_project(spoil(SOUND, ("training.schedule", text)), "here")
    assert project.training.schedule == text


@pytest.mark.parametrize("text", REFUSED)
def test_what_kubernetes_refuses_is_refused(text: str):
    with pytest.raises(ValueError, match="write five fields, minute hour day month weekday"):
        schedule(text)


@pytest.mark.parametrize("text", NEVER)
def test_a_schedule_that_never_comes_is_refused(text: str):
    with pytest.raises(ValueError, match="this one never comes"):
        schedule(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 3 * * 0-7", "weekday '0-7' is outside 0 to 6, Sunday is 0"),
        ("0 3 * JULY *", "month 'JULY' cannot be read, use 1 to 12 or jan, feb"),
        ("5-1 3 * * *", "minute '5-1' begins after its end"),
        ("*/0 3 * * *", "minute '*/0' has the step 0"),
        ("0 3 * *", "it has 4 fields"),
        ("TZ=UTC 0 3 * * *", "remove the time zone, schedules are in UTC"),
        ("0 3 * * *\u00a0", "use plain letters, digits and blanks only"),
        ("@every 1d", "or @every with a duration such as 12h"),
        ("@reboot", "or one of @annually, @daily, @hourly"),
    ],
)
def test_the_refusal_says_which_part_is_wrong(text: str, said: str):
    with pytest.raises(ValueError, match="write five fields") as refused:
        schedule(text)
    assert said in str(refused.value)
