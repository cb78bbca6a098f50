"""Drain of a node: it is cordoned, its pods get a limited time to end, and then its pod objects are deleted."""

from __future__ import annotations

import time
from typing import Any

from mlp_sandbox.clusters.control_plane.api import Api, ApiError

GRACE_SECONDS = 10
"""Maximum grace period. A longer terminationGracePeriodSeconds has no effect: the instance ends anyway, as on AWS."""

_WAIT_SECONDS = 20.0
_POLL_SECONDS = 0.5


def evict(api: Api, node: str) -> None:
    """Cordon a node and end its pods, for a limited time. Pods of DaemonSets are left out; they end with the node."""
    try:
        api.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    except ApiError as error:
        if error.status != 404:
            raise
        return
    for pod in _movable(api, node):
        own = pod["spec"].get("terminationGracePeriodSeconds")
        grace = GRACE_SECONDS if own is None else min(int(own), GRACE_SECONDS)
        api.delete(_path(pod), {"gracePeriodSeconds": grace})
    deadline = time.monotonic() + _WAIT_SECONDS
    while _movable(api, node) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def forget_pods(api: Api, node: str) -> None:
    """Delete the pod objects of a node that no longer runs, because nothing else confirms that its pods have ended."""
    for pod in _pods(api, node):
        api.delete(_path(pod), {"gracePeriodSeconds": 0})


def _movable(api: Api, node: str) -> list[dict[str, Any]]:
    def by_daemon_set(pod: dict[str, Any]) -> bool:
        owners: list[dict[str, Any]] = pod["metadata"].get("ownerReferences") or []
        return any(owner["kind"] == "DaemonSet" for owner in owners)

    return [
        pod
        for pod in _pods(api, node)
        if not by_daemon_set(pod) and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def _pods(api: Api, node: str) -> list[dict[str, Any]]:
    return api.list("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")


def _path(pod: dict[str, Any]) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
