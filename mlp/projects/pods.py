"""Pods as the commands need them: which are ready, and a port that leads to them."""

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
    """A port on this machine for one of the platform's workloads. `unready`: pods that run are good enough, to be asked
    why they are not ready. `local_port` 0 is a free one; raises OSError when another one is taken."""

    def connect() -> tuple[Any, Callable[[], None]]:
        pod = choose(cluster.pods(namespace, name), namespace, name, deploy, unready=unready)
        connection = cluster.connect(namespace, pod, port)
        return connection.socket(port), connection.close

    # Said at once, and not as a connection that ends without an answer.
    choose(cluster.pods(namespace, name), namespace, name, deploy, unready=unready)
    without_broken_proxies()
    with PortForward(connect, local_port) as forward:
        yield forward


def choose(pods: list[Object], namespace: str, name: str, deploy: str, *, unready: bool = False) -> str:
    """The name of one of the ready ones, any of them, so that all get their share."""
    ready = [pod for pod in pods if is_ready(pod)] or [pod for pod in pods if unready and runs(pod)]
    if ready:
        return str(secrets.choice(ready)["metadata"]["name"])
    if not pods:
        raise PlainError(f"there are no pods of {name} in {namespace}; is it deployed? {deploy}")
    states = ", ".join(f"{pod['metadata']['name']} ({state(pod)})" for pod in pods)
    raise PlainError(f"no pod of {name} in {namespace} is ready: {states}")


def state(pod: Object) -> str:
    """In a word or two, as `kubectl get pods` has it."""
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
