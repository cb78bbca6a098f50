"""Client of the Kubernetes API for a pod with a service account.

https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from ml_workloads.runtime.errors import PlatformError

T = TypeVar("T")
LOG = logging.getLogger(__name__)
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
GONE, CONFLICT, STARTING = 404, 409, 400
_SECONDS: Final = 30.0
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
Object = dict[str, Any]


class ApiError(PlatformError):
    """The API server rejects a request. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Cluster:
    """Objects of one namespace.

    Args:
        namespace: The pod's own.
        patience: Maximum time in seconds to retry while the API server does not answer.
        address: URL of the API server; by default the one in the pod's environment variables.
        account: The folder with the token, which changes, and the certificate of the certificate authority.
    """

    def __init__(self, namespace: str, *, patience: float, address: str | None = None, account: Path = ACCOUNT) -> None:
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        self._address = address or f"https://{f'[{host}]' if ':' in host else host}:{port}"
        self._namespace, self._patience, self._account = namespace, patience, account
        self._session = requests.Session()
        self._session.verify = str(account / "ca.crt")
        # A proxy of the environment is for addresses outside of the cluster.
        self._session.trust_env = False

    def find(self, kind: str, name: str) -> Object | None:
        """Return an object, or None if it does not exist."""
        try:
            return self._json("GET", self._path(kind, name))
        except ApiError as error:
            if error.status == GONE:
                return None
            raise

    def items(self, kind: str, **query: str) -> list[Object]:
        return list(self._json("GET", self._path(kind), query=query)["items"])

    def create(self, kind: str, body: Mapping[str, Any]) -> Object:
        """Create an object.

        Raises:
            ApiError: with status 409 if the name is taken.
        """
        return self._json("POST", self._path(kind), body=body)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object and its dependents. A missing object is no error."""
        try:
            self._json("DELETE", self._path(kind, name), body={"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status != GONE:
                raise

    def log(self, pod: str) -> Iterator[str]:
        """Yield the lines of a pod's log until it ends.

        Raises:
            ApiError: with status 400 while the pod starts.
        """
        address = f"{self._address}{self._path('pods', f'{pod}/log')}"
        answer = self._patiently(
            f"read the log of {pod}",
            lambda: self._session.get(
                address, params={"follow": "true"}, headers=self._headers(), stream=True, timeout=(_SECONDS, None)
            ),
        )
        with answer:
            self._demand(answer)
            for line in answer.iter_lines():
                yield line.decode(errors="replace")

    def _json(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Object:
        answer = self._patiently(
            f"{method} {path}",
            lambda: self._session.request(
                method, f"{self._address}{path}", params=query, json=body, headers=self._headers(), timeout=_SECONDS
            ),
        )
        self._demand(answer)
        return dict(answer.json())

    def _headers(self) -> dict[str, str]:
        """Return the headers. The token is read for each request, because the kubelet replaces it before it expires."""
        return {"Authorization": f"Bearer {(self._account / 'token').read_text().strip()}"}

    def _path(self, kind: str, name: str = "") -> str:
        api = {"jobs": "apis/batch/v1", "cronjobs": "apis/batch/v1"}.get(kind, "api/v1")
        return f"/{api}/namespaces/{self._namespace}/{kind}" + (f"/{name}" if name else "")

    def _demand(self, answer: requests.Response) -> None:
        if answer.ok:
            return
        try:
            said = str(answer.json().get("message", ""))
        except ValueError:
            said = answer.text
        raise ApiError(answer.status_code, f"Kubernetes answers {answer.status_code}: {said[:1000]}")

    def _patiently(self, what: str, call: Callable[[], requests.Response]) -> requests.Response:
        def told(state: RetryCallState) -> None:
            LOG.warning("cannot %s yet, trying again: %s", what, state.outcome and state.outcome.exception())

        def attempt() -> requests.Response:
            answer = call()
            if answer.status_code in _PASSING:
                self._demand(answer)
            return answer

        def is_passing(error: BaseException) -> bool:
            return isinstance(error, requests.RequestException) or (
                isinstance(error, ApiError) and error.status in _PASSING
            )

        def given_up(state: RetryCallState) -> Any:
            error = state.outcome.exception() if state.outcome else None
            raise PlatformError(f"could not {what} within {self._patience:.0f} s: {error}") from error

        return Retrying(
            retry=retry_if_exception(is_passing),
            stop=stop_after_delay(self._patience),
            wait=wait_exponential(max=10),
            before_sleep=told,
            retry_error_callback=given_up,
        )(attempt)
