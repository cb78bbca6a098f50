"""Following an alias: the served version after a move, and when the named version is faulty."""

import gc
import weakref
from typing import Any

from ml_workloads.runtime.serving.models import Follower, Servable, UnservableError
from tests.unit.ml_workloads.runtime.serving.registries import Shelf, servable


class Clock:
    """A clock that the test sets, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def version_of(follower: Follower) -> str | None:
    return follower.model.version if follower.model else None


def test_the_version_that_the_alias_names_is_served():
    shelf = Shelf(servable("1"), servable("2"))
    follower = Follower(shelf)
    assert version_of(follower) is None
    assert follower.step() == "served"
    assert version_of(follower) == "1"
    shelf.alias = "2"
    assert follower.step() == "served"
    assert version_of(follower) == "2"
    shelf.alias = "1"
    assert follower.step() == "served"
    assert version_of(follower) == "1"


def test_without_the_registry_the_model_goes_on_answering():
    shelf, failures = Shelf(servable("1")), list[str]()
    follower = Follower(shelf, on_failure=failures.append)
    follower.step()
    shelf.down = True
    assert follower.step() == "registry failed"
    assert version_of(follower) == "1"
    assert "ConnectionError: connection refused" in follower.problem
    assert failures == ["registry"]
    shelf.down = False
    assert follower.step() == "served"
    assert follower.problem == ""


def test_a_version_that_cannot_be_loaded_leaves_the_one_before():
    shelf, failures = Shelf(servable("1"), servable("2")), list[str]()
    clock = Clock()
    follower = Follower(shelf, on_failure=failures.append, clock=clock)
    follower.step()
    shelf.alias, shelf.broken = "2", {"2"}
    assert follower.step() == "load failed"
    assert version_of(follower) == "1"
    assert "version 2 cannot be loaded: OSError: the artifact's digest" in follower.problem
    assert failures == ["load"]
    shelf.broken = set()
    assert follower.step() == "load postponed"
    assert "version 2 cannot be loaded" in follower.problem
    clock.now = 10
    assert follower.step() == "served"
    assert version_of(follower) == "2"


def test_a_version_whose_request_cannot_be_described_is_kept_out():
    columns: Any = [None]
    shelf = Shelf(servable("1"), servable("2", columns))
    follower = Follower(shelf)
    follower.step()
    shelf.alias = "2"
    assert follower.step() == "load failed"
    assert version_of(follower) == "1"


def loads(error: Exception, seconds: int) -> list[int]:
    """Return the load times of a failing version; the follower polls every second for the given number of seconds."""
    shelf, clock, when = Shelf(servable("1")), Clock(), list[int]()

    def fails(version: str) -> Servable:
        when.append(int(clock.now))
        assert version == "1"
        raise error

    shelf.load = fails
    follower = Follower(shelf, seconds=10, clock=clock)
    for now in range(seconds):
        clock.now = float(now)
        follower.step()
        assert follower.pause() == 10
    return when


def test_a_version_is_loaded_again_ever_more_rarely_and_the_alias_is_looked_at_as_often_as_before():
    assert loads(OSError("the network is down"), 300) == [0, 10, 30, 70, 130, 190, 250]
    assert loads(UnservableError("no model"), 2400) == [0, 10, 30, 70, 150, 310, 630, 1230, 1830]


def test_an_alias_that_moves_is_followed_at_once_however_often_loading_failed():
    shelf, clock = Shelf(servable("1"), servable("2")), Clock()
    shelf.broken = {"1"}
    follower = Follower(shelf, clock=clock)
    for now in range(0, 2000, 5):
        clock.now = float(now)
        assert follower.step() in ("load failed", "load postponed")
    shelf.alias = "2"
    assert follower.step() == "served"
    shelf.alias, shelf.broken = "1", set()
    assert follower.step() == "served"


def test_a_version_that_cannot_be_loaded_stays_in_memory_no_longer_than_that():
    class Weight:
        pass

    held = list[weakref.ref[Any]]()
    shelf = Shelf(servable("1"))

    def fails(version: str) -> Servable:
        weight = Weight()
        held.append(weakref.ref(weight))
        raise UnservableError(f"no model {version}")

    shelf.load = fails
    follower = Follower(shelf)
    follower.step()
    gc.collect()
    assert [each() for each in held] == [None]


def test_failures_are_tried_again_ever_more_slowly_and_at_least_every_minute():
    shelf = Shelf(servable("1"))
    shelf.down = True
    follower, pauses = Follower(shelf, seconds=10), list[float]()
    for _ in range(5):
        follower.step()
        pauses.append(follower.pause())
    assert pauses == [10, 20, 40, 60, 60]
    shelf.down = False
    follower.step()
    assert follower.pause() == 10


def test_it_looks_by_itself_until_it_is_stopped():
    shelf = Shelf(servable("1"))
    follower = Follower(shelf, seconds=0.01)
    follower.start()
    for _ in range(3):
        shelf.asked.clear()
        assert shelf.asked.wait(10)
    follower.stop()
    shelf.asked.clear()
    assert not shelf.asked.wait(0.1)
    assert version_of(follower) == "1"
