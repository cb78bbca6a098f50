"""A wait that cannot succeed ends with the last output of the container."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.connection import Answer
from mlp_sandbox.providers.kubernetes.errors import ApiError, UnreachableError
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.waiting import NotReadyError, Wait

DEPLOYMENT, JOB, CONFIG_MAP = Kind("apps", "v1", "Deployment"), Kind("batch", "v1", "Job"), Kind("", "v1", "ConfigMap")
LABELS = {"matchLabels": {"app": "web"}}


class FakeCluster(Cluster):
    """Cluster stub that answers by kind, from `then` once the kind was listed; it records the logs that were read."""

    def __init__(
        self, objects: dict[str, list[Object]], logs: str = "", then: dict[str, list[Object]] | None = None
    ) -> None:
        self.objects, self.logs, self.then = objects, logs, then or {}
        self.read: list[tuple[str, str, bool]] = []

    def get(self, kind: Kind, namespace: str, name: str, **_more: Any) -> Object | None:
        found = self.objects.get(kind.name, [])
        if len(found) > 1:
            return found.pop(0)
        return found[0] if found else None

    def find(self, kind: Kind, namespace: str, **_more: Any) -> list[Object]:
        found = self.objects.get(kind.name, [])
        self.objects[kind.name] = self.then.get(kind.name, found)
        return found

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        self.read.append((pod, container, previous))
        return self.logs


def owned(name: str, by: str, status: Object, **metadata: Any) -> Object:
    meta = {"name": name, "namespace": "apps", "uid": name, "ownerReferences": [{"uid": by}], **metadata}
    return {"metadata": meta, "spec": {"containers": [{"name": "main", "image": "app:1"}]}, "status": status}


def workload(kind: Kind, **status: Any) -> Object:
    revision = {"deployment.kubernetes.io/revision": "2"}
    metadata = {"name": "web", "namespace": "apps", "uid": "web", "generation": 1, "annotations": revision}
    return {"kind": kind.name, "metadata": metadata, "spec": {"selector": LABELS}, "status": status}


def container(state: Object, **more: Any) -> Object:
    return {"containerStatuses": [{"name": "main", "state": state, **more}]}


def wait(
    cluster: FakeCluster, kind: Kind, inputs: Object | None = None, timeout: float = 1.0
) -> tuple[Wait, list[str]]:
    told: list[str] = []
    return Wait(cluster, kind, inputs or {}, timeout, told.append), told


def crashing() -> FakeCluster:
    old, new = ({"deployment.kubernetes.io/revision": each} for each in "12")
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    begun = container({"running": {}}, restartCount=2)
    looping = container({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=3, lastState=ended)
    return FakeCluster(
        {
            "Deployment": [workload(DEPLOYMENT, observedGeneration=1)],
            "ReplicaSet": [owned("web-a", "web", {}, annotations=old), owned("web-b", "web", {}, annotations=new)],
            "Pod": [owned("old-pod", "web-a", looping), owned("new-pod", "web-b", begun)],
        },
        logs="Traceback\nKeyError: 'DATABASE_URL'",
        then={"Pod": [owned("old-pod", "web-a", looping), owned("new-pod", "web-b", looping)]},
    )


def test_a_crashing_pod_of_the_new_version_ends_the_wait_with_its_last_lines() -> None:
    cluster = crashing()
    waiting, _ = wait(cluster, DEPLOYMENT, timeout=60)
    with pytest.raises(NotReadyError) as ended:
        waiting.until_ready(workload(DEPLOYMENT, observedGeneration=1))
    assert cluster.read == [("new-pod", "main", True)]
    assert "ends again and again (3 restarts): exit code 1 (Error)" in str(ended.value)
    assert "The last lines of container 'main' of pod new-pod:\nTraceback\nKeyError: 'DATABASE_URL'" in str(ended.value)


def test_a_failed_job_ends_with_the_last_lines_of_its_pod() -> None:
    failed = workload(JOB, conditions=[{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}])
    pods = [owned("job-1", "web", container({"terminated": {"exitCode": 2}}))]
    cluster = FakeCluster({"Job": [failed], "Pod": pods}, logs="no such model")
    waiting, _ = wait(cluster, JOB)
    with pytest.raises(NotReadyError, match=r"BackoffLimitExceeded(.|\n)*no such model"):
        waiting.until_ready(failed)
    assert cluster.read == [("job-1", "main", False)]


def test_a_job_is_left_its_own_tries() -> None:
    looping = container({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=5)
    running, done = workload(JOB, active=1), workload(JOB, conditions=[{"type": "Complete", "status": "True"}])
    cluster = FakeCluster({"Job": [running, done], "Pod": [owned("job-1", "web", looping)]})
    waiting, told = wait(cluster, JOB, timeout=10)
    assert waiting.until_ready(running) == done
    assert "0 of 1 pods succeeded" in told[0]
    assert told[-1] == ""


def test_a_wait_says_at_its_end_what_was_missing_and_how_to_go_on() -> None:
    waiting, _ = wait(FakeCluster({"Deployment": [workload(DEPLOYMENT)]}), DEPLOYMENT, timeout=0.3)
    with pytest.raises(NotReadyError, match=r"not ready after 0 seconds: its controller .* custom_timeouts"):
        waiting.until_ready(workload(DEPLOYMENT))


def test_what_is_waited_for_is_said_once_and_now_and_then_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def told_with(say_again: float) -> list[str]:
        monkeypatch.setattr("mlp_sandbox.providers.kubernetes.waiting.SAY_AGAIN", say_again)
        running, done = workload(JOB, active=1), workload(JOB, conditions=[{"type": "Complete", "status": "True"}])
        waiting, told = wait(FakeCluster({"Job": [running, running, done]}), JOB, timeout=10)
        waiting.until_ready(workload(JOB, active=1))
        return told

    text = "0 of 1 pods succeeded (1 active, 0 failed)"
    assert told_with(60) == [text, ""]
    assert told_with(0) == [text, text, text, ""]


def test_an_object_that_is_deleted_meanwhile_ends_the_wait() -> None:
    waiting, _ = wait(FakeCluster({}), DEPLOYMENT)
    with pytest.raises(NotReadyError, match="it was deleted while it was waited for"):
        waiting.until_ready(workload(DEPLOYMENT))


def test_nothing_is_looked_at_where_the_program_does_not_wait() -> None:
    skipping = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
    cluster = crashing()
    waiting, told = wait(cluster, DEPLOYMENT, skipping)
    live = workload(DEPLOYMENT)
    assert waiting.until_ready(live) is live
    assert told == []


def test_an_object_that_was_made_anew_under_its_name_counts_as_gone() -> None:
    cluster = FakeCluster({"ConfigMap": [{"metadata": {"name": "a", "uid": "new"}}]})
    waiting, _ = wait(cluster, CONFIG_MAP)
    waiting.until_gone("apps", "a", "old")


def test_what_holds_an_object_that_does_not_go_is_named() -> None:
    held = {"metadata": {"name": "a", "uid": "1", "finalizers": ["foregroundDeletion"]}}
    waiting, told = wait(FakeCluster({"ConfigMap": [held]}), CONFIG_MAP, timeout=0.3)
    with pytest.raises(NotReadyError, match=r"still there .* its finalizers are foregroundDeletion"):
        waiting.until_gone("apps", "a", "1")
    assert "being deleted: its finalizers are foregroundDeletion" in told[0]


@pytest.mark.parametrize("error", [ApiError(403, "Forbidden", "no"), UnreachableError("no answer")])
def test_logs_that_cannot_be_read_do_not_hide_why_the_wait_ended(error: Exception) -> None:
    class Closed:
        def request(self, *_args: Any, **_more: Any) -> Answer:
            raise error

    cluster: Any = Cluster.__new__(Cluster)
    cluster.connection = Closed()
    assert cluster.log("n", "p", "c", previous=False, lines=5) == ""


NO_IMAGE = "rpc error: code = NotFound desc = failed to pull and unpack image: not found"
READY_STATUS = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
STALLED = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}


def without_image(reason: str = "ImagePullBackOff") -> Object:
    return container({"waiting": {"reason": reason, "message": NO_IMAGE}})


def crashed(restarts: int) -> Object:
    return container({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=restarts)


class Rollout(FakeCluster):
    """A Deployment past its progress deadline. Its one pod shows one state per poll; then the Deployment is ready."""

    def __init__(self, *states: Object) -> None:
        self.states = list(states)
        super().__init__({})

    def get(self, kind: Kind, namespace: str, name: str, **_more: Any) -> Object | None:
        return self.deployment()

    def find(self, kind: Kind, namespace: str, **_more: Any) -> list[Object]:
        if kind.name == "ReplicaSet":
            return [owned("web-b", "web", {}, annotations={"deployment.kubernetes.io/revision": "2"})]
        if kind.name == "Pod":
            return [owned("pod", "web-b", self.states.pop(0))] if self.states else []
        return []

    def deployment(self) -> Object:
        if not self.states:
            return workload(DEPLOYMENT, **READY_STATUS)
        return workload(DEPLOYMENT, observedGeneration=1, updatedReplicas=1, conditions=[STALLED])


def heals(*states: Object) -> None:
    rollout = Rollout(*states)
    waiting, _ = wait(rollout, DEPLOYMENT, timeout=60)
    assert waiting.until_ready(rollout.deployment()) == workload(DEPLOYMENT, **READY_STATUS)


@pytest.mark.parametrize(
    "before", [without_image(), without_image("ErrImagePull"), without_image("ErrImageNeverPull"), crashed(7)]
)
def test_pods_of_a_failed_deployment_are_given_the_time_until_the_kubelet_tries_again(before: Object) -> None:
    heals(before, before, before)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([{"phase": "Pending"}, without_image("ErrImagePull")], "its image app:1 cannot be had: ErrImagePull"),
        ([{"phase": "Pending"}, without_image()], "its image app:1 cannot be had: ImagePullBackOff"),
        ([without_image(), without_image("ErrImagePull")], "its image app:1 cannot be had: ErrImagePull"),
        ([without_image("ErrImagePull"), without_image(), without_image("ErrImagePull")], "cannot be had"),
        ([crashed(7), crashed(7), crashed(8)], "ends again and again (8 restarts)"),
    ],
)
def test_what_fails_during_a_wait_ends_it_at_once(states: list[Object], said: str) -> None:
    rollout = Rollout(*states, *states[-1:])
    waiting, _ = wait(rollout, DEPLOYMENT, timeout=60)
    with pytest.raises(NotReadyError, match=re.escape(said)):
        waiting.until_ready(rollout.deployment())


def test_a_trouble_that_stays_beyond_the_kubelets_pause_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlp_sandbox.providers.kubernetes.waiting.BACK_OFF", 0.2)
    rollout = Rollout(*[without_image()] * 50)
    waiting, _ = wait(rollout, DEPLOYMENT, timeout=60)
    with pytest.raises(NotReadyError, match="its image app:1 cannot be had"):
        waiting.until_ready(rollout.deployment())
