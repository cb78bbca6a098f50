"""A run from the CronJob: the created Job, and the output while it is followed to its end."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from typer.testing import CliRunner

import mlp.projects.tracking
from ml_workloads.project import parse_project
from mlp.app import make_app
from mlp.console import PlainError
from mlp.projects import follow as following
from mlp.projects import train as training
from mlp.projects.cluster_access import CONFLICT, GONE, ApiError
from mlp.projects.environment import Environment, Place
from mlp.projects.follow import follow
from mlp.projects.session import Session
from mlp.projects.train import job_from, job_name, start
from tests.unit.ml_workloads.examples import SOUND

NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
Object = dict[str, Any]
Step = tuple[Object | None, list[Object]]
CRONJOB: Object = {
    "metadata": {"name": "training", "uid": "4f2a"},
    "spec": {
        "schedule": "0 3 * * 1",
        "jobTemplate": {
            "metadata": {"labels": {"project": "churn"}, "annotations": {"note": "kept"}},
            "spec": {
                "backoffLimit": 1,
                "podFailurePolicy": {"rules": [{"action": "FailJob"}]},
                "template": {"spec": {"containers": [{"name": "training"}], "aFieldOfTheFuture": 7}},
            },
        },
    },
}


class FakeCluster:
    """Stub with a sequence of API answers: Jobs, their pods at the same time, and logs by pod."""

    def __init__(
        self, *steps: tuple[Object | None, list[Object]], logs: dict[str, list[list[str]]] | None = None
    ) -> None:
        self.steps, self.logs = list(steps), logs or {}
        self.created: list[Object] = []
        self.conflicts = 0
        self.cronjob: Object | None = CRONJOB
        self.events: list[Object] = []
        self._pods: list[Object] = []

    def find(self, path: str) -> Object | None:
        if path.endswith("/cronjobs/training"):
            return self.cronjob
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        self._pods = step[1]
        return step[0]

    def items(self, path: str, **query: str) -> list[Object]:
        return self.events if path.endswith("/events") else self._pods

    def create(self, path: str, body: Object) -> Object:
        if self.conflicts:
            self.conflicts -= 1
            raise ApiError(CONFLICT, "already exists")
        self.created.append(body)
        return body

    def lines(self, path: str, **query: str) -> Iterator[str]:
        pod = path.split("/")[-2]
        if pod not in self.logs:
            raise ApiError(GONE, "not found")
        known = self.logs[pod]
        yield from known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following.time, "sleep", lambda _seconds: None)


def session(cluster: FakeCluster) -> Session:
    project = parse_project(SOUND, "example")
    environment = Environment(
        name="dev", region="us-east-1", prefix="ml-platform-dev", cluster="ml-platform-dev-eks", teams=frozenset()
    )
    place = Place(project=project, environment=environment)
    return Session(place=place, aws=cast(Any, None), cluster=cast(Any, cluster))


def job(ended: str | None = None, reason: str = "") -> Object:
    conditions = [{"type": ended, "status": "True", "reason": reason}] if ended else []
    return {"metadata": {"name": "training-1"}, "spec": {}, "status": {"conditions": conditions, "failed": 1}}


def pod(name: str, phase: str, state: Object | None = None, **status: Any) -> Object:
    containers = [{"name": "training", "state": state}] if state else []
    return {
        "metadata": {"name": name, "creationTimestamp": name},
        "spec": {"nodeName": "node-1"},
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


RUNNING: Object = {"running": {}}


def ended(code: int, message: str = "") -> Object:
    return {"terminated": {"exitCode": code, "message": message}}


def test_the_job_is_what_kubectl_would_make_of_the_cronjob_with_all_its_fields():
    made = job_from(CRONJOB, "training-1")
    assert made["spec"] == CRONJOB["spec"]["jobTemplate"]["spec"]
    metadata = made["metadata"]
    assert metadata["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual", "note": "kept"}
    assert metadata["labels"] == {"project": "churn"}
    (owner,) = metadata["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("CronJob", "training", "4f2a", True)
    assert owner["blockOwnerDeletion"], "the namespace would be deleted while the run goes on"


def test_names_of_runs_sort_by_time_and_differ_within_a_second():
    names = {job_name("training", NOON) for _ in range(20)}
    assert len(names) > 1
    assert all(re.fullmatch(r"training-20261024120000-[0-9a-f]{4}", name) for name in names)


def test_a_name_that_is_taken_is_not_the_end():
    cluster = FakeCluster((job(), []))
    cluster.conflicts = 1
    name = start(session(cluster), NOON)
    assert [each["metadata"]["name"] for each in cluster.created] == [name]


def test_without_its_cronjob_nothing_is_started():
    cluster = FakeCluster((job(), []))
    cluster.cronjob = None
    with pytest.raises(PlainError, match=r"has no CronJob training in .*: `pulumi up --stack dev`"):
        start(session(cluster), NOON)
    assert cluster.created == []


def followed(cluster: FakeCluster) -> tuple[str | None, list[str], list[str]]:
    said: list[str] = []
    written: list[str] = []
    end = follow(session(cluster), "training-1", said.append, written.append)
    return end.reason, said, written


def test_waiting_log_and_end_come_one_after_the_other():
    cluster = FakeCluster(
        (job(), []),
        (job(), [pod("a", "Pending")]),
        (job(), [pod("a", "Pending")]),
        (job(), [pod("a", "Running", RUNNING)]),
        (job(), [pod("a", "Succeeded", ended(0))]),
        (job("Complete"), [pod("a", "Succeeded", ended(0))]),
        logs={"a": [["one"], ["one", "two"]]},
    )
    reason, said, written = followed(cluster)
    assert reason is None
    assert said == ["waiting for a pod of training-1", "its pod is being started", "a runs on node-1"]
    assert written == ["one", "two"]


def test_the_log_of_a_pod_that_was_over_at_once_is_shown_too():
    cluster = FakeCluster(
        (job("Failed", "PodFailurePolicy"), [pod("a", "Failed", ended(2, "no column age"))]), logs={"a": [["boom"]]}
    )
    reason, _, written = followed(cluster)
    assert written == ["boom"]
    assert reason == "its code, data, contract or settings are wrong (exit code 2):\n  no column age"


def test_all_attempts_are_shown():
    first = pod("a", "Failed", ended(75))
    cluster = FakeCluster(
        (job(), [first]),
        (job(), [first]),
        (job("Complete"), [first, pod("b", "Succeeded", ended(0))]),
        logs={"a": [["first"]], "b": [["second"]]},
    )
    reason, said, written = followed(cluster)
    assert reason is None
    assert written == ["first", "second"]
    assert said == ["a runs on node-1", "b runs on node-1"]


def test_a_job_that_is_deleted_ends_it():
    cluster = FakeCluster((job(), [pod("a", "Running", RUNNING)]), (None, []), logs={"a": [["one"]]})
    reason, _, written = followed(cluster)
    assert (reason, written) == ("the Job was deleted while it ran", ["one"])


def test_a_pod_that_is_taken_away_while_its_log_is_read_ends_nothing():
    gone = pod("a", "Failed", RUNNING)
    cluster = FakeCluster((job(), [gone]), (job("Failed", "DeadlineExceeded"), []))
    reason, _, written = followed(cluster)
    assert written == []
    assert reason is not None
    assert "raise training.deadline_minutes" in reason


def test_why_a_run_failed_is_told_also_where_mlflow_cannot_be_told(monkeypatch: pytest.MonkeyPatch):
    failed = pod("a", "Failed", ended(2, "no column age"))
    cluster = FakeCluster((job("Failed", "PodFailurePolicy"), [failed]), logs={"a": [["boom"]]})

    @contextmanager
    def opened(_project: str, _env: str) -> Generator[Session]:
        yield session(cluster)

    @contextmanager
    def tracking(_session: Session) -> Generator[Any]:
        raise PlainError("MLflow does not answer: connection refused")
        yield

    monkeypatch.setattr(training, "opened", opened)
    monkeypatch.setattr(mlp.projects.tracking, "tracking", tracking)
    done = CliRunner().invoke(make_app(), ["train", "churn", "--follow"])
    assert done.exit_code == 1
    assert "MLflow could not be told: MLflow does not answer: connection refused" in done.stderr
    assert "failed: its code, data, contract or settings are wrong (exit code 2):\n  no column age" in done.stderr
