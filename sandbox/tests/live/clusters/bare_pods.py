"""Pods for control planes without nodes that run containers."""

from typing import Any

PODS = "/api/v1/namespaces/default/pods"


def pod(name: str, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "none", **(container or {})}]
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}
