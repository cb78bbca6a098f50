"""Simulated nodes: Node objects with their instance type's capacity, which KWOK keeps Ready.

The scheduler treats them as real, and KWOK reports their pods as running, although nothing runs.
https://kwok.sigs.k8s.io/docs/user/kwok-manage-nodes-and-pods/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlp_sandbox.clusters.model import NodeSpec
from mlp_sandbox.clusters.nodes.real.machine import reserved

ANNOTATION = "kwok.x-k8s.io/node"
SELECTOR = f"{ANNOTATION}=fake"
SIMULATED_LABEL = "mlp.sandbox/simulated"
EPHEMERAL_STORAGE = "100Gi"
"""Fixed value, because nodes are not told the size of the root volume, which the launch template sets."""

_EVICTION_MIB = 100
_FACTORS = {
    "Ki": Decimal(1024),
    "Mi": Decimal(1024**2),
    "Gi": Decimal(1024**3),
    "Ti": Decimal(1024**4),
    "m": Decimal("0.001"),
    "k": Decimal(1000),
}


def manifest(spec: NodeSpec) -> dict[str, Any]:
    """Return the Node object with its status, which the API server accepts at creation."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": spec.name, "labels": dict(spec.labels), "annotations": {ANNOTATION: "fake"}},
        "spec": {
            "providerID": spec.provider_id,
            "taints": [{"key": each.key, "value": each.value, "effect": each.effect} for each in spec.taints],
        },
        "status": status(spec),
    }


def status(spec: NodeSpec) -> dict[str, Any]:
    return {
        "addresses": [
            {"type": "InternalIP", "address": spec.private_ip},
            {"type": "Hostname", "address": spec.name},
            {"type": "InternalDNS", "address": spec.name},
        ],
        "capacity": capacity(spec),
        "allocatable": allocatable(spec),
        "nodeInfo": {
            "architecture": spec.labels.get("kubernetes.io/arch", "amd64"),
            "operatingSystem": "linux",
            "osImage": "simulated by KWOK: its pods run nothing",
            "kubeletVersion": "kwok",
            "containerRuntimeVersion": "kwok://simulated",
            "kernelVersion": "",
            "kubeProxyVersion": "",
            "bootID": "",
            "machineID": "",
            "systemUUID": "",
        },
    }


def has_capacity(spec: NodeSpec, found: Mapping[str, Any]) -> bool:
    """Return True if a Node object has the desired capacity. The API server may write numbers in another format."""

    def same(kind: str, wanted: Mapping[str, str]) -> bool:
        there: Mapping[str, str] = found["status"].get(kind) or {}
        return {name: _number(each) for name, each in there.items()} == {n: _number(each) for n, each in wanted.items()}

    return same("capacity", capacity(spec)) and same("allocatable", allocatable(spec))


def capacity(spec: NodeSpec) -> dict[str, str]:
    extended = {name: str(count) for name, count in {**spec.accelerators, **spec.interfaces}.items()}
    return {
        "cpu": str(spec.cpus),
        "memory": f"{spec.memory_mib}Mi",
        "pods": str(spec.max_pods),
        "ephemeral-storage": EPHEMERAL_STORAGE,
        **extended,
    }


def allocatable(spec: NodeSpec) -> dict[str, str]:
    """Return the capacity that is left for pods.

    It excludes what Amazon's node images reserve (see `reserved`), and the hard eviction threshold.
    """
    kept = reserved(spec.cpus, spec.max_pods)
    memory = spec.memory_mib - int(kept["memory"].removesuffix("Mi")) - _EVICTION_MIB
    cpu = spec.cpus * 1000 - int(kept["cpu"].removesuffix("m"))
    return {**capacity(spec), "cpu": f"{cpu}m", "memory": f"{max(memory, 0)}Mi"}


def _number(quantity: str) -> Decimal:
    """Convert a Kubernetes quantity with one of the suffixes that are used here.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    for suffix, factor in _FACTORS.items():
        if quantity.endswith(suffix):
            return Decimal(quantity.removesuffix(suffix)) * factor
    return Decimal(quantity)
