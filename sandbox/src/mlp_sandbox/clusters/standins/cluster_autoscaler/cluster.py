"""Calls to the Kubernetes API, within the permissions of the original's ClusterRole.

Nodes are replaced, not patched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from .groups import DELETION_TAINT
from .objects import Json, Node, Pod, node, pod

ClusterError = (ApiException, HTTPError)
COMPONENT = "cluster-autoscaler"
_PRIORITIES = "cluster-autoscaler-priority-expander"
_SECONDS = 30
_CONFLICT = 409


def connect(kubeconfig: str) -> client.ApiClient:
    """Return a client that uses the pod's service account, or outside a pod the given kubeconfig file or KUBECONFIG."""
    if not kubeconfig and "KUBERNETES_SERVICE_HOST" in os.environ and not os.environ.get("KUBECONFIG"):
        config.load_incluster_config()
    else:
        config.load_kube_config(str(Path(kubeconfig).expanduser()) if kubeconfig else None)
    return client.ApiClient()


class Cluster:
    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._core: Any = client.CoreV1Api(api)
        self._apps: Any = client.AppsV1Api(api)
        self._namespace = namespace
        self._events: dict[tuple[str, str, str], float] = {}

    def nodes(self) -> list[Node]:
        return [node(raw) for raw in _items(self._core.list_node)]

    def pods(self) -> list[Pod]:
        return [pod(raw) for raw in _items(self._core.list_pod_for_all_namespaces)]

    def daemon_pods(self) -> list[Pod]:
        """Return one pod for each DaemonSet, built from its template."""
        found: list[Pod] = []
        for raw in _items(self._apps.list_daemon_set_for_all_namespaces):
            template = raw["spec"]["template"]
            metadata = {"namespace": raw["metadata"]["namespace"], "name": raw["metadata"]["name"]}
            owners = [{"kind": "DaemonSet", "controller": True}]
            found.append(pod({"metadata": {**metadata, "ownerReferences": owners}, "spec": template["spec"]}))
        return found

    def mark(self, name: str, *, going: bool) -> None:
        """Taint and cordon a node that is being removed, or revert both."""
        while True:
            raw = _json(self._core.read_node(name, _preload_content=False, _request_timeout=_SECONDS))
            spec = raw["spec"]
            taints = [each for each in spec.get("taints") or [] if each["key"] != DELETION_TAINT]
            if going:
                stamp = str(int(datetime.now(UTC).timestamp()))
                taints.append({"key": DELETION_TAINT, "value": stamp, "effect": "NoSchedule"})
            spec["taints"] = taints
            spec["unschedulable"] = going
            try:
                self._core.replace_node(name, raw, _preload_content=False, _request_timeout=_SECONDS)
            except ApiException as error:
                if error.status != _CONFLICT:
                    raise
            else:
                return

    def evict(self, each: Pod) -> bool:
        """Evict a pod. Returns False while a disruption budget does not allow it."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": each.name, "namespace": each.namespace},
        }
        try:
            self._core.create_namespaced_pod_eviction(
                each.name, each.namespace, body, _preload_content=False, _request_timeout=_SECONDS
            )
        except ApiException as error:
            if error.status == 404:
                return True
            if error.status == 429:
                return False
            raise
        return True

    def pod_event(self, each: Pod, reason: str, message: str, kind: str = "Normal") -> None:
        """Create an event for a pod. The same event is repeated after five minutes at the earliest."""
        now = datetime.now(UTC)
        key = (each.uid, reason, message)
        if now.timestamp() - self._events.get(key, 0.0) < 300:
            return
        self._events[key] = now.timestamp()
        if len(self._events) > 5000:
            self._events = dict(list(self._events.items())[-2500:])
        about = {"kind": "Pod", "namespace": each.namespace, "name": each.name, "uid": each.uid, "apiVersion": "v1"}
        self._event(each.namespace, about, reason, message, kind, now)

    def node_event(self, each: Node, reason: str, message: str) -> None:
        about = {"kind": "Node", "name": each.name, "uid": each.name, "apiVersion": "v1"}
        self._event("default", about, reason, message, "Normal", datetime.now(UTC))

    def priorities(self) -> dict[int, Sequence[str]]:
        """Return the priority expander's table, which is empty if there is none."""
        try:
            raw = _json(
                self._core.read_namespaced_config_map(
                    _PRIORITIES, self._namespace, _preload_content=False, _request_timeout=_SECONDS
                )
            )
        except ApiException as error:
            if error.status == 404:
                return {}
            raise
        table: Mapping[int, Sequence[str]] = yaml.safe_load((raw.get("data") or {}).get("priorities", "")) or {}
        return dict(table)

    def write_status(self, name: str, text: str) -> None:
        body = {"metadata": {"name": name, "namespace": self._namespace}, "data": {"status": text}}
        arguments = {"_preload_content": False, "_request_timeout": _SECONDS}
        try:
            self._core.replace_namespaced_config_map(name, self._namespace, body, **arguments)
        except ApiException as error:
            if error.status != 404:
                raise
            self._core.create_namespaced_config_map(self._namespace, body, **arguments)

    def _event(self, namespace: str, about: Json, reason: str, message: str, kind: str, now: datetime) -> None:
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "metadata": {"name": f"{about['name']}.{now.timestamp():.6f}".lower(), "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": message[:1024],
            "type": kind,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        }
        self._core.create_namespaced_event(namespace, body, _preload_content=False, _request_timeout=_SECONDS)


def _items(read: Callable[..., Any]) -> list[Json]:
    # The client's models are not used, because they take ten times as long for the same content.
    return _json(read(_preload_content=False, _request_timeout=_SECONDS))["items"]


def _json(response: Any) -> dict[str, Any]:
    return json.loads(response.data)
