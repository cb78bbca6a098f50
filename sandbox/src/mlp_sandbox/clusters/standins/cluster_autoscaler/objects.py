"""Pods and nodes from the API server's JSON, with the properties that their placement and removal depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

Resources = Mapping[str, Decimal]
Json = Mapping[str, Any]

MIRROR_POD = "kubernetes.io/config.mirror"
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SCALE_DOWN_DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
_LOCAL_VOLUMES = ("emptyDir", "hostPath")


@dataclass(frozen=True, kw_only=True)
class Taint:
    key: str
    value: str = ""
    effect: str


@dataclass(frozen=True, kw_only=True)
class Pod:
    """Pod. `spec` is the pod's spec as JSON, which the placement rules read."""

    namespace: str
    name: str
    uid: str
    node: str | None
    phase: str
    requests: Resources
    spec: Json
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    owner: str | None = None
    priority: int = 0
    unschedulable_since: str | None = None
    created: str = ""
    ending: bool = False
    resource_version: str = ""

    @property
    def occupies(self) -> bool:
        """Return True if the pod uses resources of its node."""
        return self.phase not in ("Succeeded", "Failed")

    @property
    def belongs_to_node(self) -> bool:
        return self.owner == "DaemonSet" or self.owner == "Node" or MIRROR_POD in self.annotations

    @property
    def local_storage(self) -> bool:
        volumes: list[Json] = self.spec.get("volumes") or []
        return any(kind in volume for volume in volumes for kind in _LOCAL_VOLUMES)


@dataclass(frozen=True, kw_only=True)
class Node:
    """Existing node, or the template of a node that a group would add (which has no name)."""

    name: str = ""
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    allocatable: Resources
    ready: bool = True
    instance_id: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def resources(raw: Mapping[str, str] | None) -> dict[str, Decimal]:
    return {name: parse_quantity(amount) for name, amount in (raw or {}).items()}


def pod(raw: Json) -> Pod:
    metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status", {})
    since = None
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            since = condition.get("lastTransitionTime") or metadata.get("creationTimestamp")
    owners = [each["kind"] for each in metadata.get("ownerReferences") or [] if each.get("controller")]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata.get("uid", ""),
        node=spec.get("nodeName"),
        phase=status.get("phase", "Pending"),
        requests=pod_requests(spec),
        spec=spec,
        annotations=metadata.get("annotations") or {},
        owner=owners[0] if owners else None,
        priority=spec.get("priority") or 0,
        unschedulable_since=since,
        created=metadata.get("creationTimestamp", ""),
        ending="deletionTimestamp" in metadata,
        resource_version=metadata.get("resourceVersion", ""),
    )


def node(raw: Json) -> Node:
    metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status", {})
    provider: str = spec.get("providerID") or ""
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    return Node(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        taints=tuple(
            Taint(key=each["key"], value=each.get("value") or "", effect=each["effect"])
            for each in spec.get("taints") or []
        ),
        allocatable=resources(status.get("allocatable")),
        ready=conditions.get("Ready") == "True",
        # aws:///us-east-1a/i-0123456789abcdef0
        instance_id=provider.rpartition("/")[2] if provider.startswith("aws:") else None,
        annotations=metadata.get("annotations") or {},
    )


def pod_requests(spec: Json) -> dict[str, Decimal]:
    """Return the requests that the scheduler counts.

    This is the sum over containers, but at least what init containers need at a time.
    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    total: dict[str, Decimal] = {}
    for container in spec.get("containers") or []:
        _add(total, _requests(container))
    sidecars: dict[str, Decimal] = {}
    peak: dict[str, Decimal] = {}
    for container in spec.get("initContainers") or []:
        needs = _requests(container)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, needs)
            needs = dict(sidecars)
        else:
            _add(needs, sidecars)
        for name, amount in needs.items():
            peak[name] = max(amount, peak.get(name, Decimal(0)))
    _add(total, sidecars)
    for name, amount in peak.items():
        total[name] = max(amount, total.get(name, Decimal(0)))
    total |= resources((spec.get("resources") or {}).get("requests"))  # pod-level requests
    _add(total, resources(spec.get("overhead")))
    return {**total, "pods": Decimal(1)}


def _requests(container: Json) -> dict[str, Decimal]:
    return resources((container.get("resources") or {}).get("requests"))


def _add(total: dict[str, Decimal], more: Resources) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, Decimal(0)) + amount
