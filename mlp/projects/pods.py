"""Pods for the commands: readiness, and a local port that forwards to them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlp.console import PlainError
from mlp.projects.port_forward import PortForward, without_broken_proxies

if TYPE_CHECKING:
    from mlp.projects.cluster_access import Cluster, Object


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def runs(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]


@contextmanager
def forwarded(
    cluster: Cluster,
    namespace: str,
    name: str,
    port: int,
    deploy: str,
    *,
    unready: bool = False,
    local_port: int = 0,
) -> Generator[PortForward]:
    """Forward a port of this machine to one of the platform's workloads.

    Args:
        cluster: the cluster.
        namespace: namespace of the workload.
        name: name of the workload.
        port: port of the pods.
        deploy: command that deploys the environment, for messages.
        unready: also accept running pods that are not ready, to ask them for the reason.
        local_port: port on this machine; 0 takes a free one.

    Raises:
        OSError: `local_port` is in use.
        PlainError: no pod is ready.
    """

    def connect() -> tuple[Any, Callable[[], None]]:
        pod = choose(cluster.pods(namespace, name), namespace, name, deploy, unready=unready)
        connection = cluster.connect(namespace, pod, port)
        return connection.socket(port), connection.close

    # Checked here to report the error at once, and not as a connection that ends without an answer.
    choose(cluster.pods(namespace, name), namespace, name, deploy, unready=unready)
    without_broken_proxies()
    with PortForward(connect, local_port) as forward:
        yield forward


def choose(pods: list[Object], namespace: str, name: str, deploy: str, *, unready: bool = False) -> str:
    """Return the name of a random ready pod, so that the load is distributed."""
    ready = [pod for pod in pods if is_ready(pod)] or [pod for pod in pods if unready and runs(pod)]
    if ready:
        return str(secrets.choice(ready)["metadata"]["name"])
    if not pods:
        raise PlainError(f"there are no pods of {name} in {namespace}; is it deployed? {deploy}")
    states = ", ".join(f"{pod['metadata']['name']} ({state(pod)})" for pod in pods)
    raise PlainError(f"no pod of {name} in {namespace} is ready: {states}")


def state(pod: Object) -> str:
    """Return the state of a pod in a word or two, like `kubectl get pods`."""
    status = pod.get("status", {})
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for container in status.get("containerStatuses") or []:
        for kind in ("waiting", "terminated"):
            reason = (container.get("state") or {}).get(kind, {}).get("reason")
            if reason:
                return str(reason)
    if status.get("reason"):
        return str(status["reason"])
    phase = str(status.get("phase", "Unknown"))
    return "not ready" if phase == "Running" and not is_ready(pod) else phase
