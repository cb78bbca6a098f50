"""Client of the Kubernetes API of an environment's cluster, with plain documents: no kubectl and no kubeconfig.

The documents are plain because the client's own types would drop fields of a CronJob's template that they do not know.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import kubernetes.client
import urllib3.exceptions
from kubernetes.client import ApiClient, Configuration

from mlp.console import PlainError

if TYPE_CHECKING:
    from mlp.projects.aws_access import ClusterAddress

Object = dict[str, Any]
# A token is valid for 15 minutes.
_RENEW_SECONDS: Final = 600.0
_SECONDS: Final = 20.0
GONE, CONFLICT, FORBIDDEN, UNAUTHORIZED = 404, 409, 403, 401


class ApiError(PlainError):
    """Error response of the Kubernetes API. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """Client of a cluster.

    `token` returns a token that identifies the caller. Messages use `who`, the caller, and `role`, the role to assume.
    Closing the client deletes the file with the cluster's CA certificate, which the websockets need.
    """

    def __init__(self, address: ClusterAddress, token: Callable[[], str], *, who: str, role: str) -> None:
        self.name, self._who, self._role = address.name, who, role
        self._token, self._made = token, 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="mlp-")
        authority = Path(self._folder.name) / "ca.crt"
        authority.write_bytes(address.authority)
        self.configuration: Any = Configuration(host=address.endpoint, ssl_ca_cert=str(authority))
        self.configuration.api_key_prefix["authorization"] = "Bearer"
        self.configuration.refresh_api_key_hook = self._renew
        self._client = ApiClient(self.configuration)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._folder.cleanup()

    def get(self, path: str, **query: str) -> Object:
        return self._document(self._request("GET", path, query))

    def find(self, path: str, **query: str) -> Object | None:
        """Return an object, None if it does not exist."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.status == GONE:
                return None
            raise

    def items(self, path: str, **query: str) -> list[Object]:
        return list(self.get(path, **query)["items"])

    def create(self, path: str, body: Mapping[str, Any]) -> Object:
        return self._document(self._request("POST", path, {}, body))

    def replace(self, path: str, body: Mapping[str, Any]) -> Object:
        """Replace an object.

        The API responds with CONFLICT if the object has changed since the resourceVersion in the body.
        """
        return self._document(self._request("PUT", path, {}, body))

    def lines(self, path: str, **query: str) -> Iterator[str]:
        """Yield the lines of a text that may still grow, such as a log, until it ends."""
        response = self._request("GET", path, query, seconds=None)
        rest = b""
        try:
            for part in response.stream(65536, decode_content=True):
                *whole, rest = (rest + part).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
        except urllib3.exceptions.HTTPError:
            pass  # the pod or its node is gone: the existing lines have been read
        finally:
            response.release_conn()
        if rest:
            yield rest.decode(errors="replace")

    def pods(self, namespace: str, name: str) -> list[Object]:
        """Return the pods of one of the platform's own workloads, by their common label."""
        return self.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"app.kubernetes.io/name={name}")

    def connect(self, namespace: str, pod: str, port: int) -> Any:
        """Open a connection to a port of a pod, through the API."""
        from kubernetes.client.exceptions import ApiException
        from kubernetes.stream import portforward

        # A separate client: the websocket call temporarily replaces a method of its client.
        api: Any = kubernetes.client.CoreV1Api(ApiClient(self.configuration))
        try:
            return portforward(api.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
        except ApiException as error:
            reason = str(error.reason or error)
            if " 403 " in reason or "403 Forbidden" in reason:
                raise ApiError(FORBIDDEN, self._forbidden(f"connect to pods in {namespace}")) from error
            raise ApiError(error.status or 0, f"no connection to pod {pod} in {namespace}: {reason}") from error

    def _request(
        self, method: str, path: str, query: Mapping[str, str], body: Any = None, seconds: float | None = _SECONDS
    ) -> Any:
        url = self.configuration.host + quote(path) + (f"?{urlencode(query)}" if query else "")
        key = self.configuration.get_api_key_with_prefix("authorization")
        headers = {"authorization": str(key), "accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        # A log may produce no output for as long as its pod runs.
        timeout = (10.0, 86400.0) if seconds is None else seconds
        try:
            answer: Any = self._client.rest_client.request(method, url, headers, body, _request_timeout=timeout)
        except (urllib3.exceptions.HTTPError, kubernetes.client.ApiException) as error:
            raise PlainError(
                f"the cluster {self.name} does not answer at {self.configuration.host}: {_cause(error)}; "
                "check the network, and whether the cluster's api_cidrs or private_cidrs in the settings let you in"
            ) from error
        if answer.status >= 400:
            raise self._refused(answer)
        return answer.response

    def _refused(self, answer: Any) -> ApiError:
        text = answer.read().decode(errors="replace")
        try:
            said = str(json.loads(text).get("message") or text)
        except (ValueError, AttributeError):
            said = text
        said = " ".join(said.split())[:500]
        if answer.status == UNAUTHORIZED:
            return ApiError(
                UNAUTHORIZED,
                f"the cluster {self.name} does not let {self._who} in: it has no access entry; "
                f"assume the role {self._role}",
            )
        if answer.status == FORBIDDEN and "exceeded quota" not in said:
            return ApiError(FORBIDDEN, self._forbidden(said))
        return ApiError(answer.status, said)

    def _forbidden(self, what: str) -> str:
        return f"{self._who} may not do this on {self.name}: {what}; assume the role {self._role}"

    def _renew(self, configuration: Configuration) -> None:
        if not self._made or time.monotonic() - self._made > _RENEW_SECONDS:
            configuration.api_key["authorization"] = self._token()
            self._made = time.monotonic()

    @staticmethod
    def _document(response: Any) -> Object:
        return json.loads(response.data)


def _cause(error: Exception) -> str:
    """Return the original cause of an error, which urllib3 wraps several times."""
    reason: Any = getattr(error, "reason", None)
    return " ".join(str(reason or error).split())[:300]
