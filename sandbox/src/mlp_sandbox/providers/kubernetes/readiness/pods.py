"""Reasons why a pod is not ready, taken from its status.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mlp_sandbox.providers.kubernetes.kinds import Object
from mlp_sandbox.providers.kubernetes.readiness.judgement import (
    READY,
    Judgement,
    condition,
    failed,
    is_true,
    said_by,
    spec_of,
    status_of,
    waiting,
)

RESTARTS_TOLERATED = 2  # a container may end twice while its dependencies start
PATIENCE = 45.0  # seconds that a trouble which may pass is tolerated
# Seconds within which the kubelet has retried a container or an image, however often it failed: five minutes, and some
# for the retry itself. https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
BACK_OFF = 330.0
_IMAGE_TROUBLES = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed"}
_IMAGE_NEVER = {"InvalidImageName", "ErrImageNeverPull"}
_NO_SUCH_IMAGE = ("not found", "manifest unknown", "unauthorized", "denied", "forbidden", "no match for platform")


@dataclass(frozen=True)
class Trouble:
    """Trouble of a pod.

    Attributes:
        outlook: `never`: it will not pass; `hardly`: it may, for PATIENCE seconds; `maybe`: it is waited for.
        container: the container whose log tells more.
        previous: the log is that of the previous run, which ended.
        tries: a number that rises when a retry has failed again.
    """

    outlook: Literal["never", "hardly", "maybe"]
    text: str
    pod: Object
    container: str = ""
    previous: bool = False
    tries: int = 0

    @property
    def key(self) -> str:
        """Text that identifies the pod and container."""
        return self.text.split(":", 1)[0].split(" ends again", 1)[0]


def troubles(pods: list[Object]) -> list[Trouble]:
    """Return the troubles of pods, the worst first."""
    found = [trouble for pod in pods for trouble in _of_pod(pod)]
    return sorted(found, key=lambda trouble: ("never", "hardly", "maybe").index(trouble.outlook))


def judge_pod(pod: Object) -> Judgement:
    status = status_of(pod)
    if status.get("phase") == "Succeeded" or is_true(pod, "Ready"):
        return READY
    if status.get("phase") == "Failed":
        return failed(f"the pod failed: {_why_failed(pod)}")
    ready = condition(pod, "Ready")
    return waiting(f"the pod is {status.get('phase', 'not seen yet')}{': ' + said_by(ready) if ready else ''}")


def last_failed_container(pod: Object) -> str:
    """Return the container whose log says why the pod failed; empty when none ended with an error."""
    for each in _containers(pod):
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended and ended.get("exitCode") != 0:
            return str(each["name"])
    return ""


def _of_pod(pod: Object) -> Iterator[Trouble]:
    name = f"pod {pod['metadata'].get('namespace')}/{pod['metadata']['name']}"
    placed = condition(pod, "PodScheduled")
    if placed.get("status") == "False":
        yield Trouble("maybe", f"{name} cannot be placed: {placed.get('message') or placed.get('reason')}", pod)
    for each in _containers(pod):
        held = (each.get("state") or {}).get("waiting") or {}
        reason, message = str(held.get("reason") or ""), str(held.get("message") or "")
        what = f"{name}, container '{each['name']}'"
        if reason in _IMAGE_NEVER or (reason in _IMAGE_TROUBLES and any(word in message for word in _NO_SUCH_IMAGE)):
            text = f"{what}: its image {_image(pod, each)} cannot be had: {reason}: {message}"
            # Between two tries the reason is ImagePullBackOff.
            yield Trouble("never", text, pod, tries=int(reason == "ErrImagePull"))
        elif reason in _IMAGE_TROUBLES:
            yield Trouble("hardly", f"{what}: its image {_image(pod, each)} cannot be had: {reason}: {message}", pod)
        elif reason == "CrashLoopBackOff":
            restarts = int(each.get("restartCount") or 0)
            outlook = "never" if restarts >= RESTARTS_TOLERATED else "maybe"
            text = f"{what} ends again and again ({restarts} restarts): {_how_it_ended(each)}"
            yield Trouble(outlook, text, pod, str(each["name"]), previous=True, tries=restarts)
        elif reason in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
            yield Trouble("hardly", f"{what} cannot be started: {reason}: {message}", pod)


def _containers(pod: Object) -> list[dict[str, Any]]:
    status = status_of(pod)
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _image(pod: Object, status: dict[str, Any]) -> str:
    """Return the image as the manifest names it; the status may have the name that the runtime resolved."""
    spec = spec_of(pod)
    declared = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return next((str(each["image"]) for each in declared if each["name"] == status["name"]), str(status.get("image")))


def _how_it_ended(status: dict[str, Any]) -> str:
    ended = (status.get("lastState") or {}).get("terminated") or (status.get("state") or {}).get("terminated") or {}
    if not ended:
        return "its exit code is not known"
    message = f": {ended['message'].strip()}" if ended.get("message") else ""
    return f"exit code {ended.get('exitCode')} ({ended.get('reason') or 'no reason'}){message}"


def _why_failed(pod: Object) -> str:
    status = status_of(pod)
    own = ": ".join(str(part) for part in (status.get("reason"), status.get("message")) if part)
    ended = [
        f"container '{each['name']}' ended with {_how_it_ended(each)}"
        for each in _containers(pod)
        if ((each.get("state") or {}).get("terminated") or {}).get("exitCode") not in (None, 0)
    ]
    return "; ".join([*([own] if own else []), *ended]) or "no reason is given"
