"""Pods and nodes for the autoscaler's tests, in the format of the API server."""

from __future__ import annotations

from typing import Any

from mlp_sandbox.clusters.standins.cluster_autoscaler.groups import Group
from mlp_sandbox.clusters.standins.cluster_autoscaler.objects import Node, Pod, Taint, node, pod, resources

GPU_TAINT = Taint(key="nvidia.com/gpu", value="true", effect="NoSchedule")
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists"}


def make_pod(
    name: str = "pod",
    requests: dict[str, str] | None = None,
    *,
    owner: str | None = None,
    annotations: dict[str, str] | None = None,
    namespace: str = "ml",
    phase: str = "Pending",
    **spec: Any,
) -> Pod:
    metadata: dict[str, Any] = {"namespace": namespace, "name": name, "uid": name, "annotations": annotations}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner, "controller": True}]
    containers = [{"name": "main", "resources": {"requests": requests or {}}}]
    return pod({"metadata": metadata, "spec": {"containers": containers, **spec}, "status": {"phase": phase}})


def make_node(
    name: str = "node",
    allocatable: dict[str, str] | None = None,
    *,
    labels: dict[str, str] | None = None,
    taints: tuple[Taint, ...] = (),
    annotations: dict[str, str] | None = None,
    ready: bool = True,
) -> Node:
    return node(
        {
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
            "spec": {
                "providerID": f"aws:///us-east-1a/i-{name}",
                "taints": [{"key": each.key, "value": each.value, "effect": each.effect} for each in taints],
            },
            "status": {
                "allocatable": allocatable or {"cpu": "2", "memory": "8Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            },
        }
    )


def make_group(
    name: str, allocatable: dict[str, str], limits: tuple[int, int, int] = (0, 0, 5), **template: Any
) -> Group:
    """Return a group; `limits` are the minimum, desired and maximum sizes."""
    made = Node(
        labels=template.get("labels", {}),
        taints=template.get("taints", ()),
        allocatable=resources({"pods": "110", **allocatable}),
    )
    return Group(name=name, minimum=limits[0], desired=limits[1], maximum=limits[2], template=made)
