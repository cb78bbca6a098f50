"""One look at an object and at the objects that belong to it: its pods, its events and the objects it refers to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.errors import ApiError, UnknownKindError, UnreachableError
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.readiness import others, workloads
from mlp_sandbox.providers.kubernetes.readiness.judgement import READY, Judgement, spec_of
from mlp_sandbox.providers.kubernetes.readiness.pods import judge_pod

POD, EVENT = Kind("", "v1", "Pod"), Kind("", "v1", "Event")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet")
_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice")
_SERVICE = Kind("", "v1", "Service")
_STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass")
REVISION = "deployment.kubernetes.io/revision"

_ALONE: dict[tuple[str, str], Callable[[Object], Judgement]] = {
    ("apps", "Deployment"): workloads.judge_deployment,
    ("apps", "StatefulSet"): workloads.judge_stateful_set,
    ("apps", "DaemonSet"): workloads.judge_daemon_set,
    ("apps", "ReplicaSet"): workloads.judge_replicas,
    ("", "ReplicationController"): workloads.judge_replicas,
    ("batch", "Job"): workloads.judge_job,
    ("", "Pod"): judge_pod,
    ("", "PersistentVolume"): others.judge_volume,
    ("", "Namespace"): others.judge_namespace,
    ("", "ResourceQuota"): others.judge_quota,
    ("", "Secret"): others.judge_secret,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): others.judge_definition,
    ("apiregistration.k8s.io", "APIService"): others.judge_api_service,
}


def judge(cluster: Cluster, kind: Kind, obj: Object) -> Judgement:
    """Judge an object. Kinds without a rule are ready as soon as they exist."""
    namespace = obj["metadata"].get("namespace", "")
    match (kind.group, kind.name):
        case ("", "Service"):
            slices: list[Object] = []
            if others.needs_endpoints(obj):
                owner = f"kubernetes.io/service-name={obj['metadata']['name']}"
                slices = cluster.find(_SLICE, namespace, labels=owner)
            return others.judge_service(obj, slices)
        case ("networking.k8s.io", "Ingress"):
            named = sorted(others.services_of_ingress(obj))
            return others.judge_ingress(obj, [each for each in named if not cluster.get(_SERVICE, namespace, each)])
        case ("", "PersistentVolumeClaim"):
            name = spec_of(obj).get("storageClassName")
            return others.judge_claim(obj, cluster.get(_STORAGE_CLASS, "", name) if name else None)
        case known:
            alone = _ALONE.get(known)
            return alone(obj) if alone else READY


def pods_of(cluster: Cluster, kind: Kind, obj: Object) -> list[Object]:
    """Return the pods of the newest version of a workload; none when they cannot be listed."""
    if kind == POD:
        return [obj]
    selector = spec_of(obj).get("selector") or {}
    labels = selector.get("matchLabels") if kind.group else selector
    if not labels or kind.group not in ("apps", "batch", "") or kind.name in ("Service", "PersistentVolumeClaim"):
        return []
    namespace = obj["metadata"].get("namespace", "")
    wanted = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    owner = obj
    try:
        if kind.name == "Deployment":
            sets = cluster.find(REPLICA_SET, namespace, labels=wanted)
            newest = [each for each in sets if _owned(each, obj) and _revision(each) == _revision(obj)]
            if not newest:
                return []
            owner = newest[-1]
        return [pod for pod in cluster.find(POD, namespace, labels=wanted) if _owned(pod, owner)]
    except (ApiError, UnreachableError, UnknownKindError):
        return []


def warnings_about(cluster: Cluster, obj: Object) -> list[str]:
    """Return reasons and messages of an object's warning events, newest last."""
    uid = obj["metadata"].get("uid")
    try:
        fields = f"involvedObject.uid={uid},type=Warning"
        events = cluster.find(EVENT, obj["metadata"].get("namespace", ""), fields=fields)
    except (ApiError, UnreachableError):
        return []
    events.sort(key=_when)
    return [f"{each.get('reason')}: {each.get('message')}" for each in events]


def _when(event: Object) -> str:
    series: dict[str, Any] = event.get("series") or {}
    seen = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((each for each in seen if each), event["metadata"].get("creationTimestamp")))


def _owned(obj: Object, owner: Object) -> bool:
    owners = obj["metadata"].get("ownerReferences") or []
    return any(each.get("uid") == owner["metadata"].get("uid") for each in owners)


def _revision(obj: Object) -> str | None:
    return (obj["metadata"].get("annotations") or {}).get(REVISION)
