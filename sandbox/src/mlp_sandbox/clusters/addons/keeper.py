"""Reconciliation of the add-ons of a cluster: their objects are applied and removed, and their health is reported."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlp_sandbox.clusters.addons import coredns, metrics_server
from mlp_sandbox.clusters.addons.placement import ADDON_LABEL, NAMESPACE
from mlp_sandbox.clusters.control_plane.api import Api, ApiError, path_of
from mlp_sandbox.clusters.exchange import PartStatus
from mlp_sandbox.clusters.network_policy import addon as network
from mlp_sandbox.contracts.desired import EksAddon

BY_NODES = {
    "kube-proxy": "a process of every real node",
    "vpc-cni": "the network of every real node",
    "eks-pod-identity-agent": "a process of every real node",
    "aws-ebs-csi-driver": "the sandbox provisions volumes as folders of the nodes",
}
"""Add-ons without pods here, and the part of the sandbox that does their work."""

POD_IDENTITY_AGENT = "eks-pod-identity-agent"
PODS = ("coredns", "metrics-server")
_RESYNC_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class AddonPlace:
    """Properties of the cluster that the add-ons' objects depend on."""

    dns_address: str
    on_real_nodes: bool


def manifests(name: str, configuration: Mapping[str, object], place: AddonPlace) -> list[dict[str, Any]]:
    if name == "coredns":
        return coredns.manifests(configuration, place.dns_address, on_real_nodes=place.on_real_nodes)
    return metrics_server.manifests(configuration, on_real_nodes=place.on_real_nodes)


def ignored(addon: EksAddon) -> list[str]:
    """Return the keys of an add-on's configuration that have no effect here."""
    known = {"coredns": coredns.KEYS, "metrics-server": metrics_server.KEYS}.get(addon.name)
    return sorted(set(addon.configuration) - known) if known is not None else []


class AddonKeeper:
    """Reconciler of add-ons. `step` applies changed objects and checks the pods.

    Raises ApiError when the API server does not answer.
    """

    def __init__(self, api: Api, place: AddonPlace) -> None:
        self.states: dict[str, PartStatus] = {}
        self._api = api
        self._place = place
        self._applied: dict[str, tuple[str, float]] = {}

    def step(self, wanted: Sequence[EksAddon]) -> bool:
        """Reconcile the add-ons. Returns True if all of them are healthy."""
        named = {addon.name: addon for addon in wanted}
        for name in PODS:
            if name not in named:
                self._remove(name)
        self.states = {addon.name: self._one(addon) for addon in wanted}
        return all(state.state == "healthy" for state in self.states.values())

    def _one(self, addon: EksAddon) -> PartStatus:
        if addon.name == network.ADDON:
            return PartStatus(state="healthy", reason=network.words(addon, real_nodes=self._place.on_real_nodes))
        if addon.name in BY_NODES:
            return PartStatus(state="healthy", reason=BY_NODES[addon.name])
        if addon.name not in PODS:
            return PartStatus(
                state="unhealthy",
                reason=f"the sandbox does not run add-on {addon.name}; it runs {', '.join([*PODS, *BY_NODES])}",
            )
        objects = manifests(addon.name, addon.configuration, self._place)
        try:
            self._apply(addon.name, objects)
        except ApiError as error:
            if error.status == 0:
                raise
            return PartStatus(state="unhealthy", reason=f"its objects are refused: {error}")
        state = self._health(next(each for each in objects if each["kind"] == "Deployment"))
        if state.state == "healthy" and (left := ignored(addon)):
            return PartStatus(
                state="healthy", reason=f"these of its configuration change nothing here: {', '.join(left)}"
            )
        return state

    def _apply(self, name: str, objects: Sequence[Mapping[str, Any]]) -> None:
        digest = hashlib.sha256(json.dumps(objects, sort_keys=True).encode()).hexdigest()
        before, at = self._applied.get(name, ("", 0.0))
        if before == digest and time.monotonic() - at < _RESYNC_SECONDS:
            return
        for each in objects:
            self._api.apply(each)
        self._applied[name] = (digest, time.monotonic())

    def _health(self, deployment: Mapping[str, Any]) -> PartStatus:
        found = self._api.get(path_of(deployment))
        status: Mapping[str, Any] = found.get("status") or {}
        wanted = int(found["spec"].get("replicas", 1))
        available, updated = int(status.get("availableReplicas", 0)), int(status.get("updatedReplicas", 0))
        seen = int(status.get("observedGeneration", 0)) >= int(found["metadata"]["generation"])
        if seen and available >= wanted and updated >= wanted:
            return PartStatus(state="healthy")
        return PartStatus(state="unhealthy", reason=f"{available} of {wanted} pods are available{self._why(found)}")

    def _why(self, deployment: Mapping[str, Any]) -> str:
        labels = ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"]["matchLabels"].items())
        for pod in self._api.list(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector=labels):
            for condition in pod["status"].get("conditions") or []:
                if condition["type"] == "PodScheduled" and condition["status"] == "False":
                    return f": {condition.get('message')}"
            for container in pod["status"].get("containerStatuses") or []:
                waiting: Mapping[str, Any] = container.get("state", {}).get("waiting") or {}
                if waiting.get("message"):
                    return f": {waiting.get('reason')}: {waiting['message']}"
        return ""

    def _remove(self, name: str) -> None:
        """Delete every object of an add-on, once. The API tells whether the add-on is installed."""
        if self._applied.get(name, ("", 0.0))[0] == "removed":
            return
        objects = manifests(name, {}, self._place)
        deployment = next(each for each in objects if each["kind"] == "Deployment")
        found = self._api.find(path_of(deployment))
        if found is not None and found["metadata"].get("labels", {}).get(ADDON_LABEL) == name:
            for each in reversed(objects):
                self._api.delete(path_of(each))
        self._applied[name] = ("removed", time.monotonic())
