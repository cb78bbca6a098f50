"""Following an alias: what is served when it moves, and when something is wrong with what it names."""

from mlflow.types import DataType

from ml_workloads.runtime.serving.columns import Column
from ml_workloads.runtime.serving.models import Follower
from tests.unit.ml_workloads.runtime.serving.registries import Shelf, servable


def version_of(follower: Follower) -> str | None:
    return follower.model.version if follower.model else None


def test_the_version_that_the_alias_names_is_served():
    shelf = Shelf(servable("1"), servable("2"))
    follower = Follower(shelf)
    assert version_of(follower) is None
    assert follower.step()
    assert version_of(follower) == "1"
    shelf.alias = "2"
    assert follower.step()
    assert version_of(follower) == "2"
    shelf.alias = "1"
    assert follower.step()
    assert version_of(follower) == "1"


def test_without_the_registry_the_model_goes_on_answering():
    shelf, failures = Shelf(servable("1")), list[str]()
    follower = Follower(shelf, on_failure=failures.append)
    follower.step()
    shelf.down = True
    assert not follower.step()
    assert version_of(follower) == "1"
    assert "ConnectionError: connection refused" in follower.problem
    assert failures == ["registry"]
    shelf.down = False
    assert follower.step()
    assert follower.problem == ""


def test_a_version_that_cannot_be_loaded_leaves_the_one_before():
    shelf, failures = Shelf(servable("1"), servable("2")), list[str]()
    follower = Follower(shelf, on_failure=failures.append)
    follower.step()
    shelf.alias, shelf.broken = "2", {"2"}
    assert not follower.step()
    assert version_of(follower) == "1"
    assert "version 2 cannot be loaded: OSError: the artifact's digest" in follower.problem
    assert failures == ["load"]
    shelf.broken = set()
    assert follower.step()
    assert version_of(follower) == "2"


def test_a_version_whose_signature_cannot_be_served_is_kept_out():
    twice = servable("2", (Column(name="image", type=DataType.binary),))
    shelf = Shelf(servable("1"), twice)
    follower = Follower(shelf)
    follower.step()
    shelf.alias = "2"
    assert not follower.step()
    assert version_of(follower) == "1"


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
