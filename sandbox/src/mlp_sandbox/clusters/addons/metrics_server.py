"""Add-on `metrics-server`: the resource metrics API for `kubectl top` and autoscalers, as EKS installs it.

https://docs.aws.amazon.com/eks/latest/userguide/metrics-server.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlp_sandbox.clusters.addons import placement
from mlp_sandbox.clusters.nodes.simulated_nodes import SIMULATED_LABEL

IMAGE = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
KEYS = frozenset({"replicas", "replicaCount", "resources", "tolerations", "nodeSelector"})
_NAME = "metrics-server"
_SELECTOR = {"k8s-app": _NAME}
_LABELS = {**_SELECTOR, placement.ADDON_LABEL: _NAME}
_PORT = 10251
_REPLICAS = 2
_RESOURCES = {"limits": {"memory": "400Mi"}, "requests": {"cpu": "100m", "memory": "200Mi"}}
_RBAC = "rbac.authorization.k8s.io"


def manifests(configuration: Mapping[str, object], *, on_real_nodes: bool) -> list[dict[str, Any]]:
    service = {
        "selector": _SELECTOR,
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": "https"}],
    }
    return [
        _object("v1", "ServiceAccount", {}),
        *_access(),
        _object("v1", "Service", {"spec": service}),
        _object(
            "policy/v1", "PodDisruptionBudget", {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": _SELECTOR}}}
        ),
        _deployment(configuration, on_real_nodes=on_real_nodes),
        # Simulated pods would never serve the API, and no namespace can be deleted while an API service is unavailable.
        *([_api_service()] if on_real_nodes else []),
    ]


def _api_service() -> dict[str, Any]:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io", "labels": _LABELS},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,  # its certificate is self-signed, as on EKS
            "service": {"name": _NAME, "namespace": placement.NAMESPACE, "port": 443},
        },
    }


def _deployment(configuration: Mapping[str, object], *, on_real_nodes: bool) -> dict[str, Any]:
    replicas = placement.configured(_REPLICAS, configuration, "replicas")
    container = {
        "name": _NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": [
            f"--secure-port={_PORT}",
            "--cert-dir=/tmp",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            "--metric-resolution=15s",
            # Certificates of kubelets are self-signed; simulated kubelets do not answer.
            "--kubelet-insecure-tls",
            f"--node-selector=!{SIMULATED_LABEL}",
        ],
        "ports": [{"name": "https", "containerPort": _PORT, "protocol": "TCP"}],
        "livenessProbe": {"httpGet": {"path": "/livez", "port": "https", "scheme": "HTTPS"}, "periodSeconds": 10},
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": "https", "scheme": "HTTPS"},
            "initialDelaySeconds": 5,
            "periodSeconds": 5,
        },
        "resources": placement.configured(_RESOURCES, configuration, "resources"),
        "securityContext": placement.CONTAINER_SECURITY,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - of the container
    }
    pod = {
        "serviceAccountName": _NAME,
        "priorityClassName": "system-cluster-critical",
        "securityContext": placement.POD_SECURITY,
        "affinity": placement.affinity(_NAME, on_real_nodes=on_real_nodes),
        "nodeSelector": {"kubernetes.io/os": "linux", **placement.configured({}, configuration, "nodeSelector")},
        "tolerations": placement.configured(placement.CRITICAL_TOLERATIONS, configuration, "tolerations"),
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    spec = {
        "replicas": placement.configured(replicas, configuration, "replicaCount"),
        "selector": {"matchLabels": _SELECTOR},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
    return _object("apps/v1", "Deployment", {"spec": spec})


def _access() -> list[dict[str, Any]]:
    reader_labels = {f"{_RBAC}/aggregate-to-{role}": "true" for role in ("admin", "edit", "view")}
    read = ["get", "list", "watch"]
    own = f"system:{_NAME}"
    return [
        _role(
            "system:aggregated-metrics-reader",
            [{"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": read}],
            reader_labels,
        ),
        _role(
            own,
            [
                {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": read},
            ],
        ),
        _binding("ClusterRoleBinding", own, "ClusterRole", own),
        _binding("ClusterRoleBinding", f"{_NAME}:system:auth-delegator", "ClusterRole", "system:auth-delegator"),
        _binding("RoleBinding", f"{_NAME}-auth-reader", "Role", "extension-apiserver-authentication-reader"),
    ]


def _role(name: str, rules: list[dict[str, Any]], labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    metadata = {"name": name, "labels": {**_LABELS, **(labels or {})}}
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def _binding(kind: str, name: str, role_kind: str, role: str) -> dict[str, Any]:
    place = {"namespace": placement.NAMESPACE} if kind == "RoleBinding" else {}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": _LABELS, **place},
        "roleRef": {"apiGroup": _RBAC, "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": placement.NAMESPACE}],
    }


def _object(version: str, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": _NAME, "namespace": placement.NAMESPACE, "labels": _LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
