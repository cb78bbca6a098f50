"""Configuration file for Kubernetes clients of a cluster.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlp_sandbox.clusters.model import Certificate


def kubeconfig(name: str, server: str, ca: Path, client: Certificate) -> dict[str, Any]:
    user = {"client-certificate": str(client.certificate), "client-key": str(client.key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
        "current-context": name,
    }
