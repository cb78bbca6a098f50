"""The Jobs that a conductor starts: exact copies from their CronJobs, followed, adopted and deleted."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from ml_workloads.runtime.conductor import jobs
from ml_workloads.runtime.conductor.jobs import PART, JobPods, Owner, TrainingError, WrongError
from ml_workloads.runtime.errors import PlatformError

RUN = Owner(name="training-1", uid="u-1")
JOB, LABEL = "training-1-fit", "batch.kubernetes.io/job-name"


def template(name: str) -> dict[str, Any]:
    spec = {
        "backoffLimit": 1,
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name}]}},
    }
    return {"metadata": {"name": name}, "spec": {"jobTemplate": {"metadata": {"labels": {"app": name}}, "spec": spec}}}


def terminated(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    state = {"terminated": {"exitCode": code, "message": message, "reason": reason}}
    return {"phase": "Succeeded" if code == 0 else "Failed", "containerStatuses": [{"name": "fit", "state": state}]}


def condition(kind: str, **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True", **more}]}


class FakeCluster:
    """One namespace in memory. Each Job gets a pod; the statuses of both advance step by step."""

    def __init__(self, *steps: tuple[dict[str, Any], dict[str, Any]], log: tuple[str, ...] = ()) -> None:
        self.held: dict[tuple[str, str], dict[str, Any]] = {
            ("cronjobs", name): template(name) for name in ("fit", "worker")
        }
        self.steps, self.lines, self.deleted, self.created = list(steps), log, list[str](), list[dict[str, Any]]()

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        found = self.held.get((kind, name))
        if kind == "jobs" and found is not None and self.steps:
            job, pod = self.steps[0] if len(self.steps) == 1 else self.steps.pop(0)
            found["status"] = job
            self.held["pods", f"{name}-a"]["status"] = pod
        return copy.deepcopy(found)

    def items(self, kind: str, **query: str) -> list[dict[str, Any]]:
        label = query.get("labelSelector", "").partition("=")[2]
        return [
            copy.deepcopy(each)
            for (of, _), each in self.held.items()
            if of == kind and (not label or each["metadata"]["labels"].get(LABEL) == label)
        ]

    def create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        name = body["metadata"]["name"]
        assert (kind, name) not in self.held, "the name is taken"
        self.created.append(copy.deepcopy(body))
        self.add(body)
        return body

    def add(self, body: dict[str, Any]) -> None:
        name = body["metadata"]["name"]
        self.held["jobs", name] = copy.deepcopy(body)
        metadata = {"name": f"{name}-a", "labels": {LABEL: name}, "creationTimestamp": "2026-01-01T00:00:00Z"}
        pod = {"metadata": metadata, "spec": {"containers": [{"resources": {"limits": {"memory": "1Gi"}}}]}}
        self.held["pods", f"{name}-a"] = {**pod, "status": {"phase": "Pending"}}

    def delete(self, kind: str, name: str) -> None:
        self.deleted.append(name)
        self.held.pop((kind, name), None)
        self.held.pop(("pods", f"{name}-a"), None)

    def log(self, pod: str) -> Iterator[str]:
        return iter(self.lines)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_PAUSE_SECONDS", 0.0)


def pods(cluster: FakeCluster, written: list[str] | None = None) -> JobPods:
    fake: Any = cluster
    return JobPods(fake, RUN, (written if written is not None else []).append)


RUNNING = {"phase": "Running", "containerStatuses": [{"name": "fit", "state": {"running": {}}}]}


def test_a_training_is_made_from_its_cronjob_with_nothing_changed_and_its_log_is_written():
    cluster = FakeCluster(({}, RUNNING), (condition("Complete"), terminated(0)), log=("one", "two"))
    written: list[str] = []
    pods(cluster, written).train(JOB, "digest")
    (made,) = cluster.created
    assert made["spec"] == template("fit")["spec"]["jobTemplate"]["spec"]
    assert made["metadata"]["annotations"] == {PART: "digest"}
    assert made["metadata"]["labels"] == {"app": "fit"}
    assert made["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "training-1", "uid": "u-1", "blockOwnerDeletion": True}
    ]
    assert written == ["one", "two"]
    assert cluster.deleted == []


def existing(part: str) -> FakeCluster:
    cluster = FakeCluster((condition("Complete"), terminated(0)))
    cluster.add({"metadata": {"name": JOB, "annotations": {PART: part}}, "spec": {}})
    return cluster


def test_a_training_that_an_attempt_before_has_started_with_the_same_rows_is_waited_for():
    cluster = existing("digest")
    pods(cluster).train(JOB, "digest")
    assert (cluster.created, cluster.deleted) == ([], [])


def test_a_training_on_other_rows_is_started_anew():
    cluster = existing("another")
    pods(cluster).train(JOB, "digest")
    assert cluster.deleted == [JOB]
    assert [made["metadata"]["annotations"] for made in cluster.created] == [{PART: "digest"}]


FAILED = condition("Failed", reason="BackoffLimitExceeded", message="Job has reached the specified backoff limit")


LATE = condition("Failed", reason="DeadlineExceeded")


@pytest.mark.parametrize(
    ("job", "pod", "kind", "said"),
    [
        (FAILED, terminated(1, "the code failed with KeyError: 'x'"), TrainingError, "^the code failed with KeyError"),
        (FAILED, terminated(2, "train returned None"), WrongError, "^train returned None$"),
        (FAILED, terminated(137, "", "OOMKilled"), TrainingError, "needed more memory than it may have, 1Gi"),
        (LATE, {"phase": "Pending"}, TrainingError, "raise training.deadline_minutes"),
    ],
)
def test_a_training_that_fails_is_told_in_its_own_words_or_kubernetes(
    job: dict[str, Any], pod: dict[str, Any], kind: type[Exception], said: str
):
    cluster = FakeCluster((job, pod))
    with pytest.raises(kind, match=said):
        pods(cluster).train(JOB, "digest")
    assert cluster.deleted == [JOB]


def test_a_training_whose_job_somebody_deletes_has_failed():
    cluster = FakeCluster()
    cluster.items = lambda kind, **_: (cluster.held.pop(("jobs", JOB), None) and []) or []  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match="the Job was deleted while it ran"):
        pods(cluster).train(JOB, "digest")


def test_a_worker_of_an_attempt_before_is_deleted_first_and_its_own_afterwards():
    cluster = FakeCluster()
    cluster.add({"metadata": {"name": "training-1-check"}, "spec": {}})
    with pods(cluster).worker("check"):
        assert cluster.deleted == ["training-1-check"]
        assert ("jobs", "training-1-check") in cluster.held
    assert cluster.deleted == ["training-1-check"] * 2
    assert cluster.created[0]["spec"] == template("worker")["spec"]["jobTemplate"]["spec"]


def test_a_worker_that_ends_instead_of_answering_is_told():
    cluster = FakeCluster((FAILED, terminated(2, "no module")))
    with pytest.raises(PlatformError, match="the worker training-1-check ended"), pods(cluster).worker("check") as asks:
        asks.contract()
    assert cluster.deleted == ["training-1-check"]


def test_a_project_without_templates_is_told_to_deploy_again():
    cluster = FakeCluster()
    del cluster.held["cronjobs", "worker"]
    with pytest.raises(PlatformError, match="there is no CronJob worker"), pods(cluster).worker("check"):
        pass
