"""How a node leaves: nothing new comes, its pods are asked to end for a while, then everything of it is forgotten."""

from __future__ import annotations

import time
from typing import Any

from mlp_sandbox.clusters.control_plane.api import Api, ApiError

GRACE_SECONDS = 10
"""terminationGracePeriodSeconds may ask for more in vain: the instance is going, as on AWS."""

_WAIT_SECONDS = 20.0
_POLL_SECONDS = 0.5


def evict(api: Api, node: str) -> None:
    """Cordon the node and end its pods, DaemonSets' left out, which end with it. Bounded."""
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
    """For a node that does not run any more: nobody else confirms that its pods have ended."""
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
