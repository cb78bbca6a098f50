"""Reconciliation of a cluster's nodes with its instances.

Real nodes run on this machine, simulated nodes are only API objects, and nodes whose instance is gone are drained.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from mlp_sandbox.clusters.control_plane.api import Api
from mlp_sandbox.clusters.exchange import PartStatus
from mlp_sandbox.clusters.folder import ClusterFolder, read_json, write
from mlp_sandbox.clusters.model import ClusterAccess, NodeSpec
from mlp_sandbox.clusters.nodes import simulated_nodes
from mlp_sandbox.clusters.nodes.drain import evict, forget_pods
from mlp_sandbox.clusters.nodes.nodes import WantedNodes
from mlp_sandbox.clusters.nodes.real import RealNode
from mlp_sandbox.clusters.nodes.real.configuration import Programs

MANAGED = "mlp.sandbox/managed"
"""Annotation of every node: the labels and taints that the sandbox manages, as JSON."""

_WORKERS = 4
_RETRY_SECONDS = 15.0


class NodeReconciler:
    """Reconciler of nodes.

    `step` compares and starts work without waiting; starts and drains run in background threads.
    """

    def __init__(self, folder: ClusterFolder, api: Api, programs: Programs, log: logging.Logger) -> None:
        self.states: dict[str, PartStatus] = {}
        self._folder = folder
        self._api = api
        self._programs = programs
        self._log = log
        self._nodes: dict[str, RealNode] = {}
        self._work: dict[str, Future[None]] = {}
        self._failures: dict[str, tuple[str, float]] = {}
        self._pod_identity: dict[str, bool] = {}
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="node")

    def real_before(self) -> dict[str, str | None]:
        """Return the real nodes of the last step, with their pod ranges."""
        recorded: Mapping[str, str | None] = read_json(self._folder.places).get("real_nodes") or {}
        return dict(recorded)

    def step(self, wanted: WantedNodes, access: ClusterAccess | None, *, pod_identity: bool) -> bool:
        """Reconcile the nodes. Returns True if all of them are ready. Raises ApiError."""
        self._remember(wanted.specs)
        objects = {node["metadata"]["name"]: node for node in self._api.list("/api/v1/nodes")}
        self._collect()
        specs = {spec.name: spec for spec in wanted.specs}
        states = {name: PartStatus(state="failed", reason=reason) for name, reason in wanted.problems.items()}
        for spec in wanted.specs:
            if spec.real and access is not None:
                states[spec.name] = self._real(spec, objects.get(spec.name), access, pod_identity=pod_identity)
            else:
                states[spec.name] = self._simulated(spec, objects.get(spec.name))
        for name in self._gone(objects, specs):
            if name not in self._work:
                self._log.info("%s: its instance is gone; the node leaves", name)
                self._work[name] = self._pool.submit(self._farewell, name)
            states[name] = PartStatus(state="leaving")
        self.states = states
        return all(state.state == "ready" for state in states.values())

    def stop(self) -> None:
        """Stop every real node. The API objects stay unchanged."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        folders = (
            [path for path in self._folder.nodes.iterdir() if path.is_dir()] if self._folder.nodes.is_dir() else []
        )
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            for done in [pool.submit(RealNode.clean, path) for path in folders]:
                done.result()

    def _real(
        self, spec: NodeSpec, found: dict[str, Any] | None, access: ClusterAccess, *, pod_identity: bool
    ) -> PartStatus:
        name = spec.name
        if found is not None and simulated_nodes.ANNOTATION in found["metadata"].get("annotations", {}):
            if name not in self._work:
                self._work[name] = self._pool.submit(self._farewell, name)
            return PartStatus(state="starting", reason="it was simulated, and becomes real", real=True)
        if name not in self._nodes:
            self._nodes[name] = RealNode(self._folder.nodes / name, spec, access, self._programs)
        node = self._nodes[name]
        if self._pod_identity.get(name) != pod_identity:
            node.set_pod_identity(pod_identity)
            self._pod_identity[name] = pod_identity
        if name in self._work:
            return PartStatus(state="starting", reason=self._failures.get(name, (None, 0))[0], real=True)
        if not node.running():
            reason, retry_at = self._failures.get(name, (None, 0.0))
            if time.monotonic() >= retry_at:
                self._work[name] = self._pool.submit(node.start)
            return PartStatus(state="failed" if reason else "starting", reason=reason, real=True)
        if found is None:
            return PartStatus(state="joining", real=True)
        self._settle(spec, found)
        self._announce(spec, found)
        return PartStatus(state="ready" if is_ready(found) else "joining", reason=why_not_ready(found), real=True)

    def _simulated(self, spec: NodeSpec, found: dict[str, Any] | None) -> PartStatus:
        if spec.name in self._work:
            return PartStatus(state="leaving", real=False)
        if found is None:
            manifest = simulated_nodes.manifest(spec)
            manifest["metadata"]["annotations"][MANAGED] = _managed(spec)
            self._api.create("/api/v1/nodes", manifest)
            return PartStatus(state="starting", real=False)
        self._settle(spec, found)
        if not simulated_nodes.has_capacity(spec, found):
            self._api.merge(f"/api/v1/nodes/{spec.name}/status", {"status": simulated_nodes.status(spec)})
        return PartStatus(state="ready" if is_ready(found) else "starting", real=False)

    def _settle(self, spec: NodeSpec, found: Mapping[str, Any]) -> None:
        change = node_change(spec, found)
        if change is not None:
            self._api.merge(f"/api/v1/nodes/{spec.name}", change)

    def _announce(self, spec: NodeSpec, found: Mapping[str, Any]) -> None:
        """Announce the node's interfaces for pods, as EKS's controller does.

        The kubelet keeps resources that others announce for its node, and loses them when the node is new.
        https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/
        """
        wanted = {name: str(count) for name, count in spec.interfaces.items()}
        there: Mapping[str, str] = found["status"].get("capacity") or {}
        if any(there.get(name) != count for name, count in wanted.items()):
            self._api.merge(f"/api/v1/nodes/{spec.name}/status", {"status": {"capacity": wanted}})

    def _gone(self, objects: Mapping[str, Any], specs: Mapping[str, NodeSpec]) -> list[str]:
        ours = [name for name, node in objects.items() if MANAGED in node["metadata"].get("annotations", {})]
        folders = [path.name for path in self._folder.nodes.iterdir() if path.is_dir()]
        real = {name for name, spec in specs.items() if spec.real}
        return sorted({name for name in ours if name not in specs} | {name for name in folders if name not in real})

    def _farewell(self, name: str) -> None:
        evict(self._api, name)
        place = self._folder.nodes / name
        if place.is_dir():
            RealNode.clean(place)
            shutil.rmtree(place, ignore_errors=True)
        self._nodes.pop(name, None)
        self._pod_identity.pop(name, None)
        self._api.delete(f"/api/v1/nodes/{name}")
        forget_pods(self._api, name)

    def _collect(self) -> None:
        for name, work in list(self._work.items()):
            if work.done():
                del self._work[name]
                error = work.exception()
                if error is None:
                    self._failures.pop(name, None)
                    continue
                reason = " ".join(str(error).split()) or type(error).__name__
                if self._failures.get(name, ("", 0))[0] != reason:
                    self._log.error("%s: %s", name, reason)
                self._failures[name] = (reason, time.monotonic() + _RETRY_SECONDS)

    def _remember(self, specs: Iterable[NodeSpec]) -> None:
        real = {spec.name: spec.pod_cidr for spec in specs if spec.real}
        places = read_json(self._folder.places)
        if places.get("real_nodes") != real:
            write(self._folder.places, json.dumps({**places, "real_nodes": real}))


def node_change(spec: NodeSpec, found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the merge patch that sets a node's labels, taints and provider id, and keeps what others have set.

    Returns:
        None if nothing differs.
    """
    metadata = found["metadata"]
    managed = _read_managed(metadata.get("annotations", {}).get(MANAGED))
    have: Mapping[str, str] = metadata.get("labels") or {}
    labels: dict[str, str | None] = {key: value for key, value in spec.labels.items() if have.get(key) != value}
    labels |= {key: None for key in managed["labels"] if key not in spec.labels and key in have}
    wanted = [{"key": each.key, "value": each.value, "effect": each.effect} for each in spec.taints]
    ours = {(key, effect) for key, effect in managed["taints"]} | {(each["key"], each["effect"]) for each in wanted}
    taints: list[dict[str, Any]] = list(found["spec"].get("taints") or [])
    mine = [{**taint, "value": taint.get("value", "")} for taint in taints if (taint["key"], taint["effect"]) in ours]
    change: dict[str, Any] = {}
    if labels:
        change["metadata"] = {"labels": labels}
    if sorted(mine, key=str) != sorted(wanted, key=str):
        kept = [taint for taint in taints if (taint["key"], taint["effect"]) not in ours]
        change["spec"] = {"taints": [*kept, *wanted]}
    if not found["spec"].get("providerID"):
        change.setdefault("spec", {})["providerID"] = spec.provider_id
    text = _managed(spec)
    if metadata.get("annotations", {}).get(MANAGED) != text:
        change.setdefault("metadata", {})["annotations"] = {MANAGED: text}
    if "taints" in change.get("spec", {}):
        # Others set taints too: the resource version prevents overwriting a concurrent change.
        change["metadata"] = {**change.get("metadata", {}), "resourceVersion": metadata["resourceVersion"]}
    return change or None


def is_ready(node: Mapping[str, Any]) -> bool:
    return _ready_condition(node).get("status") == "True"


def why_not_ready(node: Mapping[str, Any]) -> str | None:
    condition = _ready_condition(node)
    return (
        None if condition.get("status") == "True" else str(condition.get("message") or "it says nothing of itself yet")
    )


def _ready_condition(node: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions: list[Mapping[str, Any]] = node.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == "Ready"), {})


def _managed(spec: NodeSpec) -> str:
    taints = sorted([each.key, each.effect] for each in spec.taints)
    return json.dumps({"labels": sorted(spec.labels), "taints": taints}, separators=(",", ":"))


def _read_managed(text: str | None) -> dict[str, list[Any]]:
    try:
        found = json.loads(text or "{}")
        return {"labels": list(found.get("labels", [])), "taints": list(found.get("taints", []))}
    except (ValueError, AttributeError, TypeError):
        return {"labels": [], "taints": []}
