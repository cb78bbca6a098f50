"""Leases as the API server stores them, with versions that every change must match."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mlp.projects.cluster_access import CONFLICT, ApiError

NAMESPACE, NAME = "growth-churn", "promotion"
PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
Object = dict[str, Any]


class LeaseServer:
    """Lease stub; `before_write` is another client's change just before ours, once."""

    def __init__(self) -> None:
        self.path = PATH
        self.leases: dict[str, Object] = {}
        self.now = NOON
        self.before_write: Callable[[], None] | None = None
        self._version = 0

    def find(self, path: str) -> Object | None:
        return copy.deepcopy(self.leases.get(path))

    def create(self, path: str, body: Object) -> Object:
        self._interfere()
        name = f"{path}/{body['metadata']['name']}"
        if name in self.leases:
            raise ApiError(CONFLICT, "already exists")
        return self._keep(name, body)

    def replace(self, path: str, body: Object) -> Object:
        self._interfere()
        if self.leases[path]["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise ApiError(CONFLICT, "the object has been modified")
        return self._keep(path, body)

    def take(self, by: str, *, seconds_ago: float = 0) -> None:
        """Take the lease as another client."""
        renewed = (self.now - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": by, "renewTime": renewed, "leaseDurationSeconds": 60}
        self._keep(self.path, {"metadata": {"name": NAME}, "spec": spec})

    @property
    def holder(self) -> str:
        return str(self.leases[self.path]["spec"]["holderIdentity"])

    def _keep(self, path: str, body: Object) -> Object:
        self._version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self._version)}
        self.leases[path] = {**copy.deepcopy(body), "metadata": metadata}
        return copy.deepcopy(self.leases[path])

    def _interfere(self) -> None:
        interfering, self.before_write = self.before_write, None
        if interfering:
            interfering()
