"""Client of a real kube-scheduler: nodes and pods are plain API objects, there is no kubelet, and nothing runs.

Node objects come from the program's node groups, pods from its workloads. This module also does the work of the
DaemonSet controller (one pod pinned to each node), because no controller runs.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from mlp.console import PlainError
from mlp.placement.findings import Placement
from mlp.placement.workloads import Workload, namespaces

SETTLE_SECONDS = 120.0
REPORT_SECONDS = 2.0
Report = Callable[[str], None]
_MERGE = "application/merge-patch+json"
_EVERYTHING = [{"operator": "Exists"}]
# Taints that the DaemonSet controller makes its pods tolerate.
# https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
_DAEMON_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{condition}", "operator": "Exists"}
    for condition in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
]


@dataclass(frozen=True, kw_only=True)
class NodeObject:
    """Node manifest and the group that it belongs to."""

    group: str
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def accelerated(self) -> bool:
        return "accelerator" in self.manifest["metadata"]["labels"]


@dataclass(frozen=True)
class _Pod:
    """Pod to place, and properties that its placement inherits."""

    workload: Workload
    manifest: dict[str, Any]
    pinned: str | None = None
    probe: bool = False


class Scheduler:
    """One run over an empty API server with a scheduler. Raises PlainError if the scheduler does not answer."""

    def __init__(self, api: client.ApiClient, nodes: Sequence[NodeObject], report: Report) -> None:
        dynamic: Any = DynamicClient(api)  # the typed client rejects numbers as quantities, which the API accepts
        kinds = ("Namespace", "ServiceAccount", "Node", "Pod")
        self._of = {kind: dynamic.resources.get(api_version="v1", kind=kind) for kind in kinds}
        self._nodes = nodes
        self._groups = {node.name: node.group for node in nodes}
        self._report = report
        self._count = 0

    def place(self, found: Sequence[Workload]) -> list[Placement]:
        """Place all workloads, DaemonSets first.

        Then offer pods without accelerators only accelerated nodes, as probes.
        """
        for namespace in namespaces(found) or ["default"]:
            self._ensure_namespace(namespace)
        self._register_nodes()
        daemons = [self._pinned(each, node) for each in found if each.is_daemon for node in self._nodes]
        others = [self._pod(each) for each in found if not each.is_daemon for _ in range(each.replicas)]
        placements = self._settle([*daemons, *others], "pods placed")
        probes = [self._probe(each) for each in found if not each.is_daemon and not each.accelerators]
        if any(node.accelerated for node in self._nodes) and probes:
            self._remove(others)
            placements += self._settle(probes, "pods offered to accelerated nodes")
        return placements

    def _ensure_namespace(self, name: str) -> None:
        _ignoring_conflict(lambda: self._of["Namespace"].create({"metadata": {"name": name}}))
        # No controller creates the service account here, and admission rejects pods without it.
        account = {"metadata": {"name": "default"}}
        _ignoring_conflict(lambda: self._of["ServiceAccount"].create(account, namespace=name))

    def _register_nodes(self) -> None:
        """Register the nodes, remove the taint of new nodes, and wait until the scheduler knows every node."""
        canaries: list[_Pod] = []
        for node in self._nodes:
            manifest = dict(node.manifest)
            self._of["Node"].create(manifest)
            taints = manifest.get("spec", {}).get("taints") or None
            self._of["Node"].patch({"metadata": {"name": node.name}, "spec": {"taints": taints}}, content_type=_MERGE)
            canary = self._pinned(_canary(), node)
            canary.manifest["spec"]["tolerations"] = list(_EVERYTHING)
            canaries.append(canary)
        self._ensure_namespace("default")
        lost = [each for each in self._settle(canaries, "nodes known to the scheduler") if each.group is None]
        if lost:
            raise PlainError(f"the scheduler does not take node group {lost[0].pinned}: {lost[0].reason}")
        self._remove(canaries)

    def _pod(self, workload: Workload, **marks: Any) -> _Pod:
        self._count += 1
        spec = copy.deepcopy(dict(workload.pod["spec"]))
        if spec.get("restartPolicy") is None:
            spec.pop("restartPolicy", None)
        spec |= {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
        name = f"p{self._count:05d}"
        metadata = {"name": name, "namespace": workload.namespace, **copy.deepcopy(dict(workload.pod["metadata"]))}
        return _Pod(workload, {"metadata": metadata, "spec": spec}, **marks)

    def _pinned(self, workload: Workload, node: NodeObject) -> _Pod:
        pod = self._pod(workload, pinned=node.group)
        require(pod.manifest["spec"], {"matchFields": [_is("metadata.name", node.name)]})
        pod.manifest["spec"]["tolerations"] = [*(pod.manifest["spec"].get("tolerations") or []), *_DAEMON_TOLERATIONS]
        return pod

    def _probe(self, workload: Workload) -> _Pod:
        pod = self._pod(workload, probe=True)
        require(pod.manifest["spec"], {"matchExpressions": [{"key": "accelerator", "operator": "Exists"}]})
        return pod

    def _settle(self, pods: Sequence[_Pod], what: str) -> list[Placement]:
        """Create the pods and wait for the scheduler's result of each."""
        for pod in pods:
            self._of["Pod"].create(pod.manifest)
        deadline, told = time.monotonic() + SETTLE_SECONDS, time.monotonic()
        while True:
            answers = {(each.metadata.namespace, each.metadata.name): each for each in self._listed()}
            judged = [(pod, _verdict(answers.get(_key(pod)))) for pod in pods]
            open_ones = [pod for pod, verdict in judged if verdict is None]
            if not open_ones:
                return [self._placement(pod, verdict) for pod, verdict in judged if verdict]
            if time.monotonic() > deadline:
                raise PlainError(
                    f"the scheduler said nothing about {len(open_ones)} of {len(pods)} pods "
                    f"(first: {open_ones[0].workload.title}) within {SETTLE_SECONDS:.0f} s; try again"
                )
            if time.monotonic() - told > REPORT_SECONDS:
                told = time.monotonic()
                self._report(f"{len(pods) - len(open_ones)} of {len(pods)} {what}")
            time.sleep(0.1)

    def _listed(self) -> Iterable[Any]:
        return self._of["Pod"].get().items

    def _placement(self, pod: _Pod, verdict: tuple[str | None, str]) -> Placement:
        node, reason = verdict
        group = self._groups.get(node) if node else None
        return Placement(workload=pod.workload, group=group, reason=reason, pinned=pod.pinned, probe=pod.probe)

    def _remove(self, pods: Sequence[_Pod]) -> None:
        for pod in pods:
            namespace, name = _key(pod)
            self._of["Pod"].delete(name, namespace, body={"gracePeriodSeconds": 0})


def require(spec: dict[str, Any], term: Mapping[str, Any]) -> None:
    """Add a term to the pod's required node affinity. Alternatives are OR-ed, so each of them gets the term."""
    node = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = node.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    alternatives = required.setdefault("nodeSelectorTerms", []) or [{}]
    for alternative in alternatives:
        for kind, expressions in term.items():
            alternative[kind] = [*(alternative.get(kind) or []), *copy.deepcopy(expressions)]
    required["nodeSelectorTerms"] = alternatives


def _is(field: str, value: str) -> dict[str, Any]:
    return {"key": field, "operator": "In", "values": [value]}


def _key(pod: _Pod) -> tuple[str, str]:
    return pod.manifest["metadata"]["namespace"], pod.manifest["metadata"]["name"]


def _verdict(pod: Any) -> tuple[str | None, str] | None:
    """Return node and reason of a pod; None while the scheduler has not decided."""
    if pod is None:
        return None, "the pod was deleted: something evicted it"
    if pod.spec.nodeName:
        return pod.spec.nodeName, ""
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return None, str(condition.message).partition(" preemption:")[0].strip()
    return None


def _canary() -> Workload:
    spec = {"containers": [{"name": "canary", "image": "canary"}]}
    pod = {"metadata": {"labels": {}}, "spec": spec}
    return Workload(kind="Pod", namespace="default", name="canary", replicas=1, priority=0, pod=pod)


def _ignoring_conflict(call: Callable[[], Any]) -> None:
    try:
        call()
    except ApiException as error:
        if error.status != 409:
            raise
