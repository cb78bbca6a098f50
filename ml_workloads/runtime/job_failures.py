"""Reasons why a run waits or failed, in plain words, derived from its Job, pods and events in Kubernetes.

https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ml_workloads.runtime.kubernetes_objects import Object, items, mapping

_NOTHING: Final[Object] = {}
LAST_LINES: Final = 10
_HELD_UP: Final = ("FailedScheduling", "Failed")
_EXITS: Final = {
    1: "the project's code failed",
    2: "its code, data, contract or settings are wrong",
    75: "MLflow, S3, Secrets Manager, the database or the pod's credentials did not answer for long",
    137: "it was killed from outside (SIGKILL)",
    143: "it was asked to end from outside (SIGTERM)",
}
_PULLS: Final = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_STUCK: Final = (*_PULLS, "CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def finished(job: Object | None) -> str | None:
    """Return `Complete` or `Failed`, or None while the Job is active. A deleted Job has failed."""
    if job is None:
        return "Failed"
    return next((str(each["type"]) for each in _true(job) if each["type"] in ("Complete", "Failed")), None)


def explain_failure(job: Object | None, pods: Sequence[Object], events: Sequence[Object]) -> str:
    """Return why a run failed.

    The newest pod gives the reason, unless the Job was ended before a pod could.
    """
    if job is None:
        return "the Job was deleted while it ran"
    condition = next((each for each in _true(job) if each["type"] == "Failed"), _NOTHING)
    if condition.get("reason") == "DeadlineExceeded":
        return _deadline(job, pods, events)
    for pod in reversed(_by_age(pods)):
        if said := _of_pod(pod):
            failed = int(mapping(job, "status").get("failed") or 0)
            return said + (f"\nAll {failed} attempts failed." if failed > 1 else "")
    return waiting(job, pods, events) if _refused(events) else _condition(condition)


def waiting(job: Object, pods: Sequence[Object], events: Sequence[Object]) -> str:
    """Return the reason why a run has not started yet."""
    pending = [pod for pod in pods if mapping(pod, "status").get("phase") in ("Pending", None)]
    if not pending:
        return _refused(events) or f"waiting for a pod of {job['metadata']['name']}"
    pod = pending[-1]
    for container in items(pod["status"], "containerStatuses"):
        state = mapping(mapping(container, "state"), "waiting")
        if state.get("reason") in _STUCK:
            what = "the image cannot be had" if state["reason"] in _PULLS else "the container cannot be started"
            return f"{what} ({state['reason']}): {_words(state.get('message')) or container.get('image', '')}"
    unscheduled = [
        each
        for each in items(pod["status"], "conditions")
        if each["type"] == "PodScheduled" and each["status"] == "False"
    ]
    if unscheduled:
        scaling = any(event.get("reason") == "TriggeredScaleUp" for event in _about(events, pod))
        more = "; a node is being added" if scaling else ""
        return f"no node has room for it yet: {_words(unscheduled[0].get('message'))}{more}"
    return "its pod is being started"


def _of_pod(pod: Object) -> str | None:
    """Return why a pod failed, or None if it did not fail or gives no reason."""
    status = mapping(pod, "status")
    lost = next(
        (c for c in items(status, "conditions") if c["type"] == "DisruptionTarget" and c["status"] == "True"), None
    )
    # Pods of a run have one container.
    container = next(iter(items(status, "containerStatuses")), _NOTHING)
    ended = mapping(mapping(container, "state"), "terminated")
    if ended.get("reason") == "OOMKilled":
        return (
            f"it needed more memory than it may have, {_memory(pod)}, and the kernel killed it: "
            "raise training.resources.memory in project.yaml (and quota.memory with it), or let it need less"
        )
    if lost:
        return f"its pod was taken from its node ({lost.get('reason')}): {_words(lost.get('message'))}"
    code = ended.get("exitCode")
    if not code:
        return f"the pod failed: {_words(status.get('message')) or status['reason']}" if status.get("reason") else None
    why = _EXITS.get(code, "it failed")
    lines = [line for line in str(ended.get("message") or "").splitlines() if line.strip()][-LAST_LINES:]
    return "\n".join([f"{why} (exit code {code})" + (":" if lines else ""), *(f"  {line}" for line in lines)])


def _deadline(job: Object, pods: Sequence[Object], events: Sequence[Object]) -> str:
    """Return the explanation of a Job that exceeded its deadline.

    Kubernetes deletes the running pods of such a Job, so the reason why they did not start is only in the events.
    """
    minutes = int(job["spec"].get("activeDeadlineSeconds") or 0) / 60
    late = f"it took longer than the {minutes:.4g} minutes that it may, and was ended"
    before = [pod for pod in _by_age(pods) if not pod["metadata"].get("deletionTimestamp")]
    if told := next(filter(None, map(_of_pod, reversed(before))), None):
        return f"{late}. An attempt before had failed: {told}"
    if not any(event.get("reason") == "Started" for event in events):
        held_up = [_words(each.get("message")) for each in events if each.get("reason") in _HELD_UP]
        # Of several messages about the same cause the longest one has the most details.
        if why := _refused(events) or max(held_up, key=len, default=None):
            return f"{late}; its pod never started: {why}"
    return f"{late}; raise training.deadline_minutes in project.yaml if it needs longer"


def _by_age(pods: Sequence[Object]) -> list[Object]:
    """Return the pods, oldest first."""
    return sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))


def _refused(events: Sequence[Object]) -> str | None:
    """Return why no pod may be created, or None."""
    for event in reversed(events):
        message = _words(event.get("message"))
        if event.get("reason") != "FailedCreate":
            continue
        if "exceeded quota" in message:
            # The text before it names another pod each time.
            numbers = message.partition("exceeded quota: ")[2]
            return (
                f"the project's quota has no room for it ({numbers}); wait until other pods of it end, "
                "or raise quota in project.yaml"
            )
        return f"its pod was refused: {message}"
    return None


def _condition(condition: Object) -> str:
    said = _words(condition.get("message")) or "Kubernetes does not say why, and its pods are gone"
    return f"{said} ({condition['reason']})" if condition.get("reason") else said


def _memory(pod: Object) -> str:
    containers = items(mapping(pod, "spec"), "containers")
    limits = next((mapping(mapping(c, "resources"), "limits") for c in containers), _NOTHING)
    return str(limits.get("memory", "an unknown amount"))


def _true(job: Object) -> list[Object]:
    return [each for each in items(mapping(job, "status"), "conditions") if each.get("status") == "True"]


def _about(events: Sequence[Object], pod: Object) -> list[Object]:
    name = pod["metadata"]["name"]
    return [event for event in events if mapping(event, "involvedObject").get("name") == name]


def _words(text: Any) -> str:
    return " ".join(str(text or "").split())[:600]
