"""Selection of nodes that are not needed: their utilization is low, and their pods (if any) fit on other nodes.

The functions are pure.
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#how-does-scale-down-work
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from .fit import less, taken, why_not
from .flags import Options
from .groups import GPU, Group
from .objects import SAFE_TO_EVICT, SCALE_DOWN_DISABLED, Node, Pod
from .scale_up import Room

_CONTROLLERS = ("ReplicaSet", "ReplicationController", "Job", "StatefulSet")


def utilization(node: Node, pods: Sequence[Pod]) -> float:
    """Return the utilization of a node: that of its GPUs, or without GPUs the larger one of processors and memory."""
    used = taken(pods)
    names = [GPU] if node.allocatable.get(GPU) else ["cpu", "memory"]
    shares = [used.get(name, Decimal(0)) / node.allocatable[name] for name in names if node.allocatable.get(name)]
    return float(max(shares, default=Decimal(1)))


def why_needed(node: Node, pods: Sequence[Pod], others: Sequence[Room], options: Options) -> str | None:
    """Return the reason why a node must stay, or None.

    Args:
        node: The node.
        pods: Pods on the node.
        others: Rooms of the nodes that stay.
        options: Options of the autoscaler.
    """
    if node.annotations.get(SCALE_DOWN_DISABLED) == "true":
        return f"annotation {SCALE_DOWN_DISABLED}"
    used = utilization(node, pods)
    if used >= options.scale_down_utilization_threshold:
        return f"utilization {used:.2f}"
    own = to_move(pods)
    for pod in own:
        reason = why_not_movable(pod, options)
        if reason:
            return f"pod {pod.namespace}/{pod.name}: {reason}"
    free = [room.free for room in others]
    for pod in own:
        place = next((i for i, room in enumerate(others) if why_not(pod, room.node, free[i]) is None), None)
        if place is None:
            return f"pod {pod.namespace}/{pod.name}: no place to move to"
        free[place] = less(free[place], pod.requests)
    return None


def to_move(pods: Sequence[Pod]) -> list[Pod]:
    """Return the pods that must leave a node before its removal.

    Pods of DaemonSets, pods of the node itself and ended pods are left out.
    """
    return [pod for pod in pods if pod.occupies and not pod.belongs_to_node]


def why_not_movable(pod: Pod, options: Options) -> str | None:
    safe = pod.annotations.get(SAFE_TO_EVICT)
    if safe == "true":
        return None
    if safe == "false":
        return f"annotation {SAFE_TO_EVICT}=false"
    if pod.owner is None:
        return "not replicated"
    if pod.owner not in _CONTROLLERS:
        return f"owned by a {pod.owner}"
    if options.skip_nodes_with_system_pods and pod.namespace == "kube-system":
        return "a pod of kube-system"
    if options.skip_nodes_with_local_storage and pod.local_storage:
        return "local storage"
    return None


class Unneeded:
    """Record of the time since which each node is not needed."""

    def __init__(self) -> None:
        self.since: dict[str, float] = {}

    def update(self, names: Sequence[str], now: float) -> None:
        self.since = {name: self.since.get(name, now) for name in names}

    def due(self, groups: Mapping[str, Group], going: int, options: Options, now: float) -> list[str]:
        """Return the nodes to remove, the longest unneeded first, within the minimum sizes of their groups.

        Args:
            groups: Group of each unneeded node, by node name.
            going: Number of nodes that are already being removed.
            options: Options of the autoscaler.
            now: Current time in seconds.
        """
        left = options.max_scale_down_parallelism - going
        sizes = {group.name: group.desired for group in groups.values()}
        found: list[str] = []
        for name, since in sorted(self.since.items(), key=lambda item: (item[1], item[0])):
            group = groups[name]
            if left > 0 and now - since >= options.scale_down_unneeded_time and sizes[group.name] > group.minimum:
                sizes[group.name] -= 1
                left -= 1
                found.append(name)
        return found
