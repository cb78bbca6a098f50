"""Starts the Jobs of a run that hold the project's code, and waits for them.

A Job is an unchanged copy of the template of a CronJob that never runs by itself: the policy `jobs-as-their-cronjobs`
of the API server allows no other Job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ml_workloads.runtime.conductor.asked import Worker
from ml_workloads.runtime.conductor.cluster import STARTING, ApiError, Cluster, Object
from ml_workloads.runtime.conductor.workers import HttpWorker
from ml_workloads.runtime.errors import CodeError, PlatformError, ProjectError
from ml_workloads.runtime.job_failures import explain_failure, finished, waiting
from ml_workloads.runtime.kubernetes_objects import items, mapping

LOG = logging.getLogger(__name__)
FIT, WORKER = "fit", "worker"
"""CronJobs from whose templates a conductor creates Jobs."""

PART: Final = "ml-platform/training-part"
"""Annotation of a training's Job: the digest of the rows that it is given."""

_PAUSE_SECONDS: Final = 0.5
_CODE, _WRONG = 1, 2


class TrainingError(CodeError):
    """The training pod failed. The message gives the pod's own reason, or the one from Kubernetes."""


class WrongError(ProjectError):
    """The training pod found a mistake in the project. The message is the pod's own."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The run's own Job. The other Jobs of the run are deleted with it."""

    name: str
    uid: str


class JobPods:
    """Pods of one run in the cluster.

    Args:
        cluster: The project's namespace.
        run: The run's own Job.
        write: Receives each line of the training's log.
    """

    def __init__(self, cluster: Cluster, run: Owner, write: Callable[[str], None]) -> None:
        self._cluster, self._run, self._write = cluster, run, write

    @contextmanager
    def worker(self, name: str) -> Generator[Worker]:
        """Start a worker, and delete its Job at the end."""
        job = f"{self._run.name}-{name}"
        self._discard(job)
        self._cluster.create("jobs", self._job(WORKER, job, {}))
        try:
            yield HttpWorker(lambda: self._address(job))
        finally:
            self._cluster.delete("jobs", job)

    def train(self, job: str, part: str) -> None:
        """Run the project's training, or wait for one that an earlier attempt started with the same rows."""
        found = self._cluster.find("jobs", job)
        if found is not None and mapping(found["metadata"], "annotations").get(PART) != part:
            self._discard(job)
            found = None
        if found is None:
            self._cluster.create("jobs", self._job(FIT, job, {PART: part}))
        try:
            self._follow(job)
        except BaseException:
            self._cluster.delete("jobs", job)
            raise

    def _follow(self, job: str) -> None:
        done: set[str] = set()
        said = ""
        while True:
            found = self._cluster.find("jobs", job)
            pods = self._pods(job)
            for pod in pods:
                if pod["metadata"]["name"] not in done and _has_begun(pod) and self._relay(pod):
                    done.add(str(pod["metadata"]["name"]))
            ended = finished(found)
            if ended == "Complete":
                return
            if found is None or ended is not None:
                raise self._failure(found, self._pods(job), job)
            held_up = waiting(found, pods, self._events(job)) if len(done) < len(pods) or not pods else said
            if held_up != said:
                said = held_up
                LOG.info("the training: %s", said)
            time.sleep(_PAUSE_SECONDS)

    def _relay(self, pod: Object) -> bool:
        """Write a pod's log until it ends. Return False if there is no log yet."""
        try:
            for line in self._cluster.log(str(pod["metadata"]["name"])):
                self._write(line)
        except ApiError as error:
            return error.status != STARTING
        return True

    def _failure(self, job: Object | None, pods: list[Object], name: str) -> ProjectError:
        """Return an error with the training's own message if it left one, else with the reason from Kubernetes."""
        ended = next(filter(None, map(_ended, reversed(pods))), None)
        code, words = (int(ended["exitCode"]), str(ended.get("message") or "").strip()) if ended else (0, "")
        if code == _WRONG:
            return WrongError(words or explain_failure(job, pods, self._events(name)))
        own = words if code == _CODE else ""
        return TrainingError(own or explain_failure(job, pods, self._events(name)))

    def _address(self, job: str) -> str:
        """Wait for the worker's pod to answer, and return its address."""
        said = ""
        while True:
            found = self._cluster.find("jobs", job)
            pods = self._pods(job)
            ready = [pod for pod in pods if _is_ready(pod)]
            if ready:
                return str(ready[-1]["status"]["podIP"])
            if found is None or finished(found) is not None:
                raise PlatformError(f"the worker {job} ended: {explain_failure(found, pods, self._events(job))}")
            held_up = waiting(found, pods, self._events(job))
            if held_up != said:
                said = held_up
                LOG.info("the worker %s: %s", job, said)
            time.sleep(_PAUSE_SECONDS)

    def _pods(self, job: str) -> list[Object]:
        found = self._cluster.items("pods", labelSelector=f"batch.kubernetes.io/job-name={job}")
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def _events(self, job: str) -> list[Object]:
        found = self._cluster.items("events")
        about = [each for each in found if str(mapping(each, "involvedObject").get("name", "")).startswith(job)]
        return sorted(about, key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))

    def _discard(self, job: str) -> None:
        """Delete a Job that an earlier attempt left behind, and wait until its name is free."""
        while self._cluster.find("jobs", job) is not None:
            self._cluster.delete("jobs", job)
            time.sleep(_PAUSE_SECONDS)

    def _job(self, cronjob: str, name: str, annotations: Mapping[str, str]) -> Object:
        template = self._cluster.find("cronjobs", cronjob)
        if template is None:
            raise PlatformError(f"there is no CronJob {cronjob} in the project's namespace; deploy the project again")
        held: Object = template["spec"]["jobTemplate"]
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "labels": dict(mapping(mapping(held, "metadata"), "labels")),
                "annotations": dict(annotations),
                # Kubernetes deletes these Jobs after the run's Job, and the namespace after the run.
                "ownerReferences": [
                    {
                        "apiVersion": "batch/v1",
                        "kind": "Job",
                        "name": self._run.name,
                        "uid": self._run.uid,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "spec": held["spec"],
        }


def _has_begun(pod: Object) -> bool:
    states = [mapping(each, "state") for each in items(mapping(pod, "status"), "containerStatuses")]
    return any("running" in state or "terminated" in state for state in states)


def _is_ready(pod: Object) -> bool:
    conditions = items(mapping(pod, "status"), "conditions")
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _ended(pod: Object) -> Object | None:
    """Return the terminated state of a pod's container, or None if it runs or has not started."""
    for each in items(mapping(pod, "status"), "containerStatuses"):
        ended = mapping(mapping(each, "state"), "terminated")
        if ended:
            return dict(ended)
    return None
