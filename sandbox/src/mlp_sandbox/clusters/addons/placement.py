"""Settings that the pods of all add-ons share: their placement, and the values that configurationValues can change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlp_sandbox.clusters.nodes.simulated_nodes import SIMULATED_LABEL

ADDON_LABEL = "mlp.sandbox/addon"
NAMESPACE = "kube-system"
USER = 65532
# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CRITICAL_TOLERATIONS = [
    {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
]


def affinity(name: str, *, on_real_nodes: bool) -> dict[str, Any]:
    """Return an affinity that prefers to spread the pods over nodes, and requires real nodes if `on_real_nodes`."""
    apart = {
        "weight": 100,
        "podAffinityTerm": {
            "labelSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": [name]}]},
            "topologyKey": "kubernetes.io/hostname",
        },
    }
    found: dict[str, Any] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart]}}
    if on_real_nodes:
        real = {"matchExpressions": [{"key": SIMULATED_LABEL, "operator": "DoesNotExist"}]}
        found["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [real]}}
    return found


def configured(default: object, configuration: Mapping[str, object], key: str) -> Any:
    """Return the user's value of a key of configurationValues, or else the add-on's default."""
    return configuration[key] if configuration.get(key) is not None else default
