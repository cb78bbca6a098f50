"""One cluster: its kinds, and the operations on objects of any kind.

https://kubernetes.io/docs/reference/using-api/api-concepts/ and .../server-side-apply/
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote

from mlp_sandbox.providers.kubernetes.annotations import Propagation
from mlp_sandbox.providers.kubernetes.connection import PATIENCE, Answer, Connection
from mlp_sandbox.providers.kubernetes.errors import ApiError, CredentialsError, UnknownKindError, UnreachableError
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.kubeconfig import Target

PROBE_PATIENCE = 5.0  # a preview first checks whether there is a cluster at all
PROBE_KEPT = 30.0
DISCOVERY_KEPT = 300.0
Waiting = Callable[[str], None]


@dataclass(frozen=True)
class Served:
    """API path of a kind: the plural in its paths, and whether its objects are namespaced."""

    plural: str
    namespaced: bool


@dataclass
class _Group:
    kinds: dict[str, Served] = field(default_factory=dict[str, Served])
    read: float = 0.0


class Cluster:
    def __init__(self, to: Target) -> None:
        self.namespace = to.namespace
        self.server = to.server
        self.user = to.user_name
        self.connection = Connection(to)
        self._lock = Lock()
        self._groups: dict[str, _Group] = {}
        self._probe_lock = Lock()
        self._probed: tuple[float, Exception | None] = (-PROBE_KEPT, None)

    def trouble(self) -> Exception | None:
        """Return why the API server cannot be asked, or None.

        The answer is kept for a while, so that a preview asks only once.
        """
        with self._probe_lock:
            asked, found = self._probed
            if time.monotonic() - asked < PROBE_KEPT:
                return found
            try:
                self.connection.request("GET", "/version", patience=PROBE_PATIENCE)
                found = None
            except (UnreachableError, CredentialsError) as error:
                found = error
            except ApiError as error:
                found = error if error.status == 401 else None
            self._probed = (time.monotonic(), found)
            return found

    def served(self, kind: Kind, *, patience: float = PATIENCE) -> Served:
        """Return the API path of a kind. A definition that has just been made is found.

        Raises:
            UnknownKindError: the API server has no such kind.
        """
        with self._lock:
            group = self._groups.get(kind.api_version)
        if group is None or kind.name not in group.kinds or time.monotonic() - group.read > DISCOVERY_KEPT:
            group = self._discover(kind, patience)
            with self._lock:
                self._groups[kind.api_version] = group
        if (found := group.kinds.get(kind.name)) is None:
            raise UnknownKindError(f"{self.server} has no kind {kind}: is its CustomResourceDefinition there?")
        return found

    def _discover(self, kind: Kind, patience: float) -> _Group:
        path = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        try:
            answer = self.connection.request("GET", path, patience=patience).json()
        except ApiError as error:
            if error.status == 404:
                return _Group(read=time.monotonic())
            raise
        kinds = {
            each["kind"]: Served(each["name"], bool(each["namespaced"]))
            for each in answer.get("resources") or []
            if "/" not in each["name"]
        }
        return _Group(kinds, time.monotonic())

    def path(self, kind: Kind, namespace: str, name: str = "", *, patience: float = PATIENCE) -> str:
        served = self.served(kind, patience=patience)
        prefix = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        inside = f"/namespaces/{quote(namespace or self.namespace)}" if served.namespaced else ""
        return f"{prefix}{inside}/{served.plural}{'/' + quote(name) if name else ''}"

    def get(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        patience: float = PATIENCE,
        waiting: Waiting = lambda _text: None,
    ) -> Object | None:
        """Return the object, or None when there is no such object."""
        path = self.path(kind, namespace, name, patience=patience)
        try:
            return self.connection.request("GET", path, patience=patience, waiting=waiting).json()
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def find(self, kind: Kind, namespace: str, *, labels: str = "", fields: str = "") -> list[Object]:
        """Return up to 500 objects with these labels and fields, which are written as selectors."""
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": "500"}
        given = {name: value for name, value in query.items() if value}
        path = self.path(kind, namespace, patience=PROBE_PATIENCE)
        answer = self.connection.request("GET", path, given, patience=PROBE_PATIENCE)
        return list(answer.json().get("items") or [])

    def apply(
        self,
        kind: Kind,
        obj: Object,
        manager: str,
        *,
        force: bool = False,
        dry_run: bool = False,
        waiting: Waiting = lambda _text: None,
        patience: float = PATIENCE,
    ) -> Answer:
        """Apply with server-side apply and strict validation: the API server rejects unknown fields and drops none."""
        metadata = obj["metadata"]
        if not self.served(kind, patience=patience).namespaced:
            # The namespace was filled in while it was unknown that the kind is not namespaced.
            obj = {**obj, "metadata": {key: value for key, value in metadata.items() if key != "namespace"}}
        path = self.path(kind, metadata.get("namespace", ""), metadata["name"], patience=patience)
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        return self.connection.request("PATCH", path, query, obj, waiting=waiting, patience=patience)

    def delete(
        self, kind: Kind, namespace: str, name: str, propagation: Propagation, *, waiting: Waiting = lambda _text: None
    ) -> None:
        """Return as soon as the API server has accepted the request; an object that is already gone is no error."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        try:
            self.connection.request("DELETE", self.path(kind, namespace, name), body=options, waiting=waiting)
        except ApiError as error:
            # 409: the namespace is already being deleted.
            if error.status != 404 and not (error.status == 409 and kind.name == "Namespace"):
                raise

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """Return a container's last lines; empty when there are none or they cannot be read."""
        path = f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(pod)}/log"
        query: dict[str, Any] = {"container": container, "tailLines": str(lines), "limitBytes": "8192"}
        if previous:
            query["previous"] = "true"
        try:
            answer = self.connection.request("GET", path, query, patience=PROBE_PATIENCE)
        except (ApiError, UnreachableError):
            return ""
        return answer.body.decode(errors="replace").strip()
