"""Client for the few Kubernetes API calls that a cluster's supervisor makes: read, watch, apply, merge and delete."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mlp_sandbox.clusters.model import Certificate

FIELD_MANAGER = "mlp-sandbox"
_SECONDS = 10.0
_PLURALS = {
    "APIService": "apiservices",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "CustomResourceDefinition": "customresourcedefinitions",
    "CSIDriver": "csidrivers",
    "Deployment": "deployments",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
    "Node": "nodes",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "Pod": "pods",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "RoleBinding": "rolebindings",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
}

Object = Mapping[str, Any]


class ApiError(Exception):
    """Error response of the API server. `status` is 0 if the server could not be reached."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def path_of(manifest: Object) -> str:
    """Return the API path of an object."""
    version = str(manifest["apiVersion"])
    metadata = manifest["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    place = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{place}/{_PLURALS[manifest['kind']]}/{metadata['name']}"


class Api:
    """Client of an API server that authenticates with a client certificate. Its methods raise ApiError."""

    def __init__(self, server: str, ca: Path, client: Certificate) -> None:
        self.server = server
        context = ssl.create_default_context(cafile=str(ca))
        context.load_cert_chain(client.certificate, client.key)
        # No proxy, because the cluster is on this machine.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        content_type: str = "application/json",
        seconds: float = _SECONDS,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the JSON object of the response. A text response is returned as {"text": ...}."""
        url = f"{self.server}{path}{'?' + urlencode(query) if query else ''}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": content_type}, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, _message(error)) from error
        except OSError as error:
            raise ApiError(0, f"{self.server} does not answer: {error}") from error
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {"text": text.decode(errors="replace")}

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.call("GET", path, query=query)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object, or None if it does not exist."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        return self.get(path, **query)["items"] or []

    def watch(self, path: str, resource_version: str, seconds: int) -> Iterator[dict[str, Any]]:
        """Yield the events after a resource version as they arrive, for that many seconds.

        One of them can be an error event.
        """
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(seconds)}
        url = f"{self.server}{path}?{urlencode({**query, 'resourceVersion': resource_version})}"
        try:
            with self._opener.open(url, timeout=seconds + _SECONDS) as answer:
                for line in answer:
                    yield json.loads(line)
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, _message(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ApiError(0, f"{self.server} does not answer: {error}") from error

    def create(self, path: str, manifest: Object) -> dict[str, Any]:
        return self.call("POST", path, manifest)

    def apply(self, manifest: Object, subresource: str = "") -> dict[str, Any]:
        """Apply an object server-side with the sandbox's field manager.

        Fields that the manifest no longer contains are removed.
        """
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"}
        path = path_of(manifest) + (f"/{subresource}" if subresource else "")
        return self.call("PATCH", path, manifest, content_type="application/apply-patch+yaml", query=query)

    def merge(self, path: str, change: Object) -> dict[str, Any]:
        query = {"fieldManager": FIELD_MANAGER}
        return self.call("PATCH", path, change, content_type="application/merge-patch+json", query=query)

    def delete(self, path: str, body: Object | None = None) -> None:
        """Delete an object. Does nothing if it does not exist."""
        try:
            self.call("DELETE", path, body)
        except ApiError as error:
            if error.status != 404:
                raise

    def ready(self) -> bool:
        """Return True if the server reports that it is ready."""
        try:
            self.call("GET", "/readyz", seconds=5)
        except ApiError:
            return False
        return True


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}: {text[:300]}"
