"""Workloads for the scheduler: every workload among a program's Kubernetes manifests, as pods. Pure.

A pod keeps only the fields that affect placement: requests, selectors, affinity, tolerations, spread, host ports and
labels. Volume claims are dropped, because the zone of a volume is known only once it exists.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kubernetes.utils.quantity import parse_quantity

from components.instance_families import POD_INTERFACE

Manifest = Mapping[str, Any]
Role = Literal["device plugin", "exporter", "other"]

# Folders where the kubelet accepts device plugins and lists the devices of pods: the mount identifies the DaemonSet's
# role.
# https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
_PLUGIN_FOLDER = "/var/lib/kubelet/device-plugins"
_POD_RESOURCES = "/var/lib/kubelet/pod-resources"
_PLACING = (
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "hostNetwork",
    "overhead",
    "restartPolicy",
)


class ManifestError(ValueError):
    """Error in a manifest that prevents its placement. The message names the manifest and the fix."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Workload to place.

    `replicas` is the maximum that runs at once; a DaemonSet has one pod on every matching node.
    """

    kind: str
    namespace: str
    name: str
    replicas: int
    priority: int
    pod: Mapping[str, Any] = field(repr=False)
    role: Role = "other"

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def is_daemon(self) -> bool:
        return self.kind == "DaemonSet"

    @property
    def cpus(self) -> float:
        """Return the CPU requests of one pod in cores."""
        return _sum(self.pod["spec"], "cpu")

    @property
    def memory_gib(self) -> float:
        return _sum(self.pod["spec"], "memory") / 2**30

    @property
    def accelerators(self) -> Mapping[str, int]:
        """Return the extended resources that one pod requests, such as `nvidia.com/gpu`."""
        return accelerators_of(self.pod["spec"])


def workloads(manifests: Iterable[Manifest]) -> list[Workload]:
    """Return workloads in the order of a scheduler with a full cluster: DaemonSets first, then by priority."""
    every = list(manifests)
    priorities = {_name(each): int(each.get("value", 0)) for each in every if each.get("kind") == "PriorityClass"} | {
        "system-node-critical": 2_000_001_000,
        "system-cluster-critical": 2_000_000_000,
    }
    scaled = dict(_scaled(every))
    found = [_workload(each, priorities, scaled) for each in every if _template(each) is not None]
    return sorted(found, key=lambda each: (not each.is_daemon, -each.priority, each.title))


def namespaces(found: Sequence[Workload]) -> list[str]:
    return sorted({each.namespace for each in found})


def accelerators_of(spec: Mapping[str, Any]) -> dict[str, int]:
    """Return the extended resources of a pod: the sum over its containers, or the largest init container."""
    total: dict[str, int] = {}
    for container in spec.get("containers") or []:
        for name, amount in _extended(container).items():
            total[name] = total.get(name, 0) + amount
    for container in spec.get("initContainers") or []:
        for name, amount in _extended(container).items():
            total[name] = max(total.get(name, 0), amount)
    return total


def _sum(spec: Mapping[str, Any], resource: str) -> float:
    """Return the requests of all containers, or of the largest init container.

    A limit without request counts as request.
    """

    def asked(container: Mapping[str, Any]) -> float:
        resources = container.get("resources") or {}
        amount = (resources.get("requests") or {}).get(resource) or (resources.get("limits") or {}).get(resource) or 0
        return float(parse_quantity(str(amount)))

    first = max((asked(container) for container in spec.get("initContainers") or []), default=0.0)
    return max(first, sum(asked(container) for container in spec.get("containers") or []))


def _extended(container: Mapping[str, Any]) -> dict[str, int]:
    resources = container.get("resources") or {}
    asked = {**(resources.get("requests") or {}), **(resources.get("limits") or {})}
    # The scheduler counts branch network interfaces of pods; nodes have them without a device plugin and accelerators.
    native = {name for name in asked if "/" not in name or name.startswith("kubernetes.io/") or name == POD_INTERFACE}
    return {name: int(amount) for name, amount in asked.items() if name not in native}


def _workload(manifest: Manifest, priorities: Mapping[str, int], scaled: Mapping[str, int]) -> Workload:
    kind, namespace, name = str(manifest["kind"]), _namespace(manifest), _name(manifest)
    template = _template(manifest) or {}
    spec = template.get("spec") or {}
    if not spec.get("containers"):
        raise ManifestError(f"{kind} {namespace}/{name} has no containers; give its pod template at least one")
    wanted = spec.get("priorityClassName")
    if wanted is not None and wanted not in priorities:
        known = ", ".join(sorted(priorities))
        raise ManifestError(
            f"{kind} {namespace}/{name}: priorityClassName {wanted!r} does not exist; use one of {known}"
        )
    return Workload(
        kind=kind,
        namespace=namespace,
        name=name,
        replicas=scaled.get(f"{kind}/{namespace}/{name}", _replicas(kind, manifest.get("spec") or {})),
        priority=priorities.get(str(wanted), 0),
        pod={
            "metadata": {"labels": dict((template.get("metadata") or {}).get("labels") or {})},
            "spec": _placing(spec),
        },
        role=_role(kind, spec),
    )


def _placing(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: copy.deepcopy(spec[key]) for key in _PLACING if key in spec}
    for group in ("initContainers", "containers"):
        if spec.get(group):
            kept[group] = [_container(each) for each in spec[group]]
    return kept


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: copy.deepcopy(container[key]) for key in ("name", "resources", "restartPolicy") if key in container}
    ports = [port for port in container.get("ports") or [] if port.get("hostPort")]
    return {"image": container.get("image", "unknown"), **kept, **({"ports": ports} if ports else {})}


def _template(manifest: Manifest) -> Mapping[str, Any] | None:
    """Return the pod template of a workload; None for any other kind."""
    spec = manifest.get("spec") or {}
    match manifest.get("kind"):
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job":
            return spec.get("template") or {}
        case "CronJob":
            return ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
        case "Pod":
            return {"metadata": manifest.get("metadata") or {}, "spec": spec}
        case _:
            return None


def _replicas(kind: str, spec: Mapping[str, Any]) -> int:
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    if kind in ("Job", "CronJob"):
        return min(int(spec.get("parallelism", 1)), int(spec.get("completions") or spec.get("parallelism", 1)))
    return int(spec.get("replicas", 1)) if kind in ("Deployment", "StatefulSet", "ReplicaSet") else 1


def _scaled(manifests: Iterable[Manifest]) -> Iterable[tuple[str, int]]:
    """Yield workloads with a HorizontalPodAutoscaler and its maximum, which must fit some day."""
    for each in manifests:
        if each.get("kind") == "HorizontalPodAutoscaler":
            target = each["spec"]["scaleTargetRef"]
            yield f"{target['kind']}/{_namespace(each)}/{target['name']}", int(each["spec"]["maxReplicas"])


def _role(kind: str, spec: Mapping[str, Any]) -> Role:
    if kind != "DaemonSet":
        return "other"
    mounted = {str((volume.get("hostPath") or {}).get("path", "")).rstrip("/") for volume in spec.get("volumes") or []}
    if _PLUGIN_FOLDER in mounted:
        return "device plugin"
    return "exporter" if _POD_RESOURCES in mounted else "other"


def _name(manifest: Manifest) -> str:
    return str((manifest.get("metadata") or {}).get("name", "unnamed"))


def _namespace(manifest: Manifest) -> str:
    return str((manifest.get("metadata") or {}).get("namespace") or "default")
