"""Reasons why runs wait and fail, from Kubernetes' status, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from ml_workloads.runtime.job_failures import explain_failure, finished, waiting

Object = dict[str, Any]


def job(reason: str | None = None, *, kind: str = "Failed", failed: int = 1, message: str = "") -> Object:
    conditions = [{"type": kind, "status": "True", "reason": reason, "message": message}] if reason else []
    status = {"conditions": conditions, "failed": failed}
    return {"metadata": {"name": "training-1"}, "spec": {"activeDeadlineSeconds": 900}, "status": status}


def pod(
    state: Object | None = None, *, at: str = "1", phase: str = "Failed", deleted: str | None = None, **status: Any
) -> Object:
    containers = [{"name": "training", "image": "churn:1", "state": state}] if state is not None else []
    return {
        "metadata": {"name": f"training-1-{at}", "creationTimestamp": at, "deletionTimestamp": deleted},
        "spec": {"containers": [{"name": "training", "resources": {"limits": {"memory": "1Gi"}}}]},
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


def ended(code: int, message: str = "", reason: str = "Error") -> Object:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def event(reason: str, message: str, about: str = "training-1") -> Object:
    return {"reason": reason, "message": message, "involvedObject": {"name": about}}


QUOTA = event("FailedCreate", 'pods "training-1-x" is forbidden: exceeded quota: project, requested: requests.cpu=4')
LOST = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": "no heartbeat"}
LONG = "\n".join(f"line {number}" for number in range(1, 21))


@pytest.mark.parametrize(
    ("failed", "pods", "events", "said"),
    [
        (None, [], [], "the Job was deleted while it ran"),
        (
            job("BackoffLimitExceeded"),
            [pod(ended(1, "KeyError: age"))],
            [],
            "code failed (exit code 1):\n  KeyError: age",
        ),
        (
            job("PodFailurePolicy"),
            [pod(ended(2, "no column 'age'"))],
            [],
            "are wrong (exit code 2):\n  no column 'age'",
        ),
        (job("BackoffLimitExceeded"), [pod(ended(75))], [], "credentials did not answer for long (exit code 75)"),
        (job("BackoffLimitExceeded"), [pod(ended(137))], [], "killed from outside (SIGKILL) (exit code 137)"),
        (job("BackoffLimitExceeded"), [pod(ended(143))], [], "asked to end from outside (SIGTERM)"),
        (job("BackoffLimitExceeded"), [pod(ended(9))], [], "it failed (exit code 9)"),
        (
            job("BackoffLimitExceeded"),
            [pod(ended(137, reason="OOMKilled"))],
            [],
            "more memory than it may have, 1Gi, and the kernel killed it: raise training.resources.memory",
        ),
        (job("BackoffLimitExceeded"), [pod(ended(1, LONG))], [], "\n  line 11\n"),
        # Of two attempts the last one tells.
        (
            job("BackoffLimitExceeded", failed=2),
            [pod(ended(75), at="2"), pod(ended(137, reason="OOMKilled"), at="1")],
            [],
            "credentials did not answer for long (exit code 75)\nAll 2 attempts failed.",
        ),
        (job("DeadlineExceeded"), [], [], "longer than the 15 minutes that it may, and was ended; raise training.dead"),
        (
            job("DeadlineExceeded"),
            [],
            [event("FailedScheduling", "0/2 nodes are available: 2 Insufficient cpu", "training-1-x")],
            "its pod never started: 0/2 nodes are available: 2 Insufficient cpu",
        ),
        # Attempts that end with 75 are repeated until the deadline; Kubernetes ends the last one with 143.
        (
            job("DeadlineExceeded"),
            [pod(ended(75), at="1"), pod(ended(143), at="2", deleted="2026-01-01T00:00:00Z")],
            [],
            "that it may, and was ended. An attempt before had failed: MLflow, S3, Secrets Manager, the database or",
        ),
        (job("DeadlineExceeded"), [], [QUOTA], "its pod never started: the project's quota has no room for it"),
        (
            job("DeadlineExceeded"),
            [],
            [event("Failed", "Failed to pull image: not found"), event("Failed", "Error: ErrImagePull")],
            "its pod never started: Failed to pull image: not found",
        ),
        (
            job("DeadlineExceeded"),
            [],
            [event("FailedScheduling", "0/2 nodes are available"), event("Started", "Started container")],
            "and was ended; raise training.deadline_minutes in project.yaml if it needs longer",
        ),
        (
            job("BackoffLimitExceeded"),
            [],
            [QUOTA],
            "quota has no room for it (project, requested: requests.cpu=4)",
        ),
        (
            job("BackoffLimitExceeded"),
            [pod(ended(137), conditions=[LOST])],
            [],
            "its pod was taken from its node (DeletionByTaintManager): no heartbeat",
        ),
        (
            job("BackoffLimitExceeded"),
            [pod(reason="Evicted", message="low on memory")],
            [],
            "the pod failed: low on memory",
        ),
        (job("BackoffLimitExceeded", message="too often"), [], [], "too often (BackoffLimitExceeded)"),
        (job("BackoffLimitExceeded"), [], [], "Kubernetes does not say why"),
    ],
)
def test_a_failure_is_told_in_plain_words(failed: Object | None, pods: list[Object], events: list[Object], said: str):
    assert said in explain_failure(failed, pods, events)


def test_of_a_long_log_only_the_last_lines_are_told():
    said = explain_failure(job("BackoffLimitExceeded"), [pod(ended(1, LONG))], [])
    assert "line 10\n" not in said
    assert said.endswith("line 20")


def pending(state: Object | None = None, *conditions: Object) -> Object:
    return pod(state, phase="Pending", conditions=list(conditions))


UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"}


@pytest.mark.parametrize(
    ("pods", "events", "said"),
    [
        ([], [], "waiting for a pod of training-1"),
        ([], [QUOTA], "the project's quota has no room for it"),
        ([], [event("FailedCreate", "violates PodSecurity")], "its pod was refused: violates PodSecurity"),
        ([pending()], [], "its pod is being started"),
        ([pending({"waiting": {"reason": "ContainerCreating"}})], [], "its pod is being started"),
        (
            [pending({"waiting": {"reason": "ErrImagePull", "message": "not\nfound"}})],
            [],
            "the image cannot be had (ErrImagePull): not found",
        ),
        ([pending({"waiting": {"reason": "ImagePullBackOff"}})], [], "(ImagePullBackOff): churn:1"),
        (
            [pending({"waiting": {"reason": "CreateContainerConfigError", "message": "no secret"}})],
            [],
            "the container cannot be started (CreateContainerConfigError): no secret",
        ),
        ([pending(None, UNSCHEDULED)], [], "no node has room for it yet: 0/2 nodes are available"),
        (
            [pending(None, UNSCHEDULED)],
            [event("TriggeredScaleUp", "1 -> 2", "training-1-1")],
            "0/2 nodes are available; a node is being added",
        ),
        (
            [pending(None, UNSCHEDULED)],
            [event("TriggeredScaleUp", "1 -> 2", "training-0-9")],
            "no node has room for it yet: 0/2 nodes are available",
        ),
    ],
)
def test_what_a_run_waits_for_is_told(pods: list[Object], events: list[Object], said: str):
    told = waiting(job(), pods, events)
    assert said in told
    assert told.endswith(said) or not said.endswith("available")


@pytest.mark.parametrize(
    ("found", "ended_as"),
    [
        (job(), None),
        (job("x", kind="Complete"), "Complete"),
        (job("x"), "Failed"),
        (job("x", kind="FailureTarget"), None),
        (None, "Failed"),
    ],
)
def test_whether_a_run_is_over(found: Object | None, ended_as: str | None):
    assert finished(found) == ended_as
