"""Observation of a run from its Job to its end: reason for waiting, log, and result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ml_workloads.project.deployment_names import CONDUCTOR
from ml_workloads.runtime.job_failures import explain_failure, finished, waiting
from mlp.projects.cluster_access import ApiError

if TYPE_CHECKING:
    from mlp.projects.session import Session

_PAUSE_SECONDS: Final = 1.0
Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class End:
    """End of a run. `reason` is the cause of failure, None if it succeeded."""

    reason: str | None


def pods_of(session: Session, job: str) -> list[Object]:
    """Return the pods of a Job, first to last."""
    found = session.cluster.items(session.path("pods"), labelSelector=f"batch.kubernetes.io/job-name={job}")
    return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def events_of(session: Session, job: str, pods: Sequence[Object]) -> list[Object]:
    """Return the events of a Job and its pods, first to last.

    The name of a pod begins with its Job's name, which also identifies events of deleted pods.
    """
    names = {job, *(pod["metadata"]["name"] for pod in pods)}

    def about(event: Object) -> bool:
        name = str((event.get("involvedObject") or {}).get("name", ""))
        return name in names or name.startswith(f"{job}-")

    found = [event for event in session.cluster.items(session.path("events")) if about(event)]
    return sorted(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))


def has_begun(pod: Object) -> bool:
    """Return whether a pod has a log."""
    states = [container.get("state") or {} for container in pod.get("status", {}).get("containerStatuses") or []]
    return any("running" in state or "terminated" in state for state in states)


def is_over(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def follow(session: Session, job: str, say: Callable[[str], None], write: Callable[[str], None]) -> End:
    """Follow a Job until it has ended.

    Args:
        session: the project's session.
        job: name of the Job.
        say: called with status messages.
        write: called with the log lines of all attempts.
    """
    written: dict[str, int] = {}
    done: set[str] = set()
    said, began = "", False
    while True:
        found = session.cluster.find(session.jobs(job))
        pods = pods_of(session, job)
        pod = next((pod for pod in pods if pod["metadata"]["name"] not in done and has_begun(pod)), None)
        if pod is not None:
            name = str(pod["metadata"]["name"])
            if name not in written:
                say(f"{name} runs on {pod['spec'].get('nodeName')}")
            # The pod's state is older than the log: a pod that ends meanwhile is read once more.
            if _read(session, name, written, write) and is_over(pod):
                done.add(name)
            else:
                time.sleep(_PAUSE_SECONDS)
            continue
        if (ended := finished(found)) is not None or found is None:
            failed = ended != "Complete"
            return End(reason=explain_failure(found, pods, events_of(session, job, pods)) if failed else None)
        left = [pod for pod in pods if not is_over(pod)]
        began = began or bool(pods)
        # Between the end of a pod and that of its Job, or the next attempt, there is nothing to report.
        reason = waiting(found, left, events_of(session, job, pods)) if left or not began else said
        if reason != said:
            said = reason
            say(reason)
        time.sleep(_PAUSE_SECONDS)


def _read(session: Session, pod: str, written: dict[str, int], write: Callable[[str], None]) -> bool:
    """Read the log until it ends, and write only new lines. Return False if there was no log yet."""
    before = written.setdefault(pod, 0)
    try:
        lines = session.cluster.lines(session.path("pods", f"{pod}/log"), container=CONDUCTOR, follow="true")
        for number, line in enumerate(lines):
            if number >= before:
                write(line)
                written[pod] = number + 1
    except ApiError as error:
        # 400 while the container starts; a deleted pod has no log any more.
        return error.status != 400
    return True
