"""A killed run cannot record its failure: its Job shows it, and MLflow is updated once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ml_workloads.project import parse_project
from ml_workloads.runtime import records
from mlp.projects.abandoned import settle
from mlp.projects.environment import Environment, Place
from mlp.projects.runs import Run, runs_of
from mlp.projects.session import Session
from tests.unit.ml_workloads.examples import SOUND

Object = dict[str, Any]
Begin = Callable[..., str]
JOB = "training-1"
KILLED: Object = {
    "metadata": {"name": "training-1-a", "creationTimestamp": "1"},
    "spec": {"containers": [{"name": "training", "resources": {"limits": {"memory": "1Gi"}}}]},
    "status": {
        "phase": "Failed",
        "containerStatuses": [
            {"name": "training", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}},
        ],
    },
}


def job(condition: str | None) -> Object:
    conditions = [{"type": condition, "status": "True", "reason": "PodFailurePolicy"}] if condition else []
    return {"metadata": {"name": JOB}, "spec": {}, "status": {"conditions": conditions}}


def session(found: Object | None) -> Session:
    """Return the session of a project with runs of up to an hour; its namespace has this Job and the killed pod."""
    environment = Environment(name="dev", region="us-east-1", prefix="p", cluster="c", teams=frozenset())
    cluster = SimpleNamespace(
        find=lambda path: found if path.endswith(f"/jobs/{JOB}") else None,
        items=lambda path, **_query: [KILLED] if path.endswith("/pods") else [],
    )
    place = Place(project=parse_project(SOUND, "example"), environment=environment)
    return Session(place=place, aws=cast(Any, None), cluster=cast(Any, cluster))


@pytest.fixture
def begin(store: Any, request: pytest.FixtureRequest) -> Begin:
    """Return a function that begins a Job's run in this test's experiment; it returns the experiment's name."""
    name = request.node.name

    def one(job: str = JOB, minutes_ago: float = 0) -> str:
        found = store.get_experiment_by_name(name)
        experiment = found.experiment_id if found else store.create_experiment(name)
        started = int((datetime.now(UTC).timestamp() - minutes_ago * 60) * 1000)
        store.create_run(experiment, tags={records.JOB: job}, start_time=started)
        return str(name)

    return one


def after(store: Any, name: str, found: Object | None) -> Run:
    """Return the only run, after asserting that MLflow and the listing agree."""
    (run,) = settle(session(found), store, runs_of(store, name, 5))
    assert runs_of(store, name, 5) == [run]
    return run


def test_a_run_that_was_killed_is_recorded_as_failed_with_what_its_pod_died_of(store: Any, begin: Begin):
    run = after(store, begin(), job("Failed"))
    assert run.status == "FAILED"
    assert run.failure is not None
    assert run.failure.startswith("it needed more memory than it may have, 1Gi, and the kernel killed it")
    assert run.seconds is not None


def test_a_run_whose_job_goes_on_is_left_alone(store: Any, begin: Begin):
    run = after(store, begin(), job(None))
    assert (run.status, run.failure) == ("RUNNING", None)


def test_an_attempt_that_was_lost_is_over_when_another_one_of_its_job_ended_well(store: Any, begin: Begin):
    run = after(store, begin(), job("Complete"))
    assert (run.status, run.failure) == (
        "FAILED",
        "it never said how it ended; another attempt of its Job ended well",
    )


@pytest.mark.parametrize(("minutes", "status"), [(59, "RUNNING"), (61, "FAILED")])
def test_a_run_without_a_job_is_over_only_when_no_job_could_have_taken_so_long(
    store: Any, begin: Begin, minutes: int, status: str
):
    run = after(store, begin("laptop", minutes), None)
    assert run.status == status
    assert run.failure == (None if status == "RUNNING" else "it never said how it ended, and its Job laptop is gone")


def test_a_run_that_ended_since_it_was_listed_keeps_what_it_said(store: Any, begin: Begin):
    name = begin()
    listed = runs_of(store, name, 5)
    store.set_terminated(listed[0].run_id, status="FINISHED")
    (run,) = settle(session(job("Complete")), store, listed)
    assert (run.status, run.failure) == ("FINISHED", None)
