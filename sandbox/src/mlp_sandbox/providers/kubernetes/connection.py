"""Requests to one API server, with JSON in and out.

Temporary failures are retried, and expired credentials are renewed once.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies

import urllib3
from kubernetes.client.rest import should_bypass_proxies
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from mlp_sandbox.providers.kubernetes.credentials import Credentials
from mlp_sandbox.providers.kubernetes.errors import ApiError, CredentialsError, UnreachableError, api_error, is_passing
from mlp_sandbox.providers.kubernetes.kubeconfig import Target, ssl_context

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
PATIENCE = 90.0  # an API server that restarts is back within it
WARM_UP = 10.0  # a server that has just started knows no roles and users yet, and denies every request
POOL = 32
_WARNING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class Answer:
    """Answer of the API server.

    `warnings` are its additional messages, such as a deprecated version or a Pod Security violation.
    """

    body: bytes = field(repr=False)
    warnings: list[str] = field(default_factory=list[str])

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    def __init__(self, to: Target) -> None:
        self.server = to.server
        self._to = to
        self._credentials = Credentials(to)
        self._pool = _pool(to)
        self._away = float("-inf")

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        patience: float = PATIENCE,
        waiting: Callable[[str], None] = lambda _text: None,
    ) -> Answer:
        """Send a request and return the answer.

        Args:
            method: the HTTP method.
            path: the path below the server's address.
            query: the parameters of the query.
            body: a value that is sent as JSON.
            patience: seconds during which temporary failures are retried.
            waiting: called with the reason before each retry.

        Raises:
            ApiError: the API server returned an error.
            UnreachableError: the API server did not answer.
            CredentialsError: the kubeconfig's credentials cannot be used.
        """
        begin = time.monotonic()

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            waiting(f"{error} (trying again, {time.monotonic() - begin:.0f} s)")

        retrying = Retrying(
            retry=retry_if_exception(self._passes),
            stop=stop_after_delay(patience),
            wait=wait_exponential_jitter(multiplier=0.2, max=5.0, jitter=0.2),
            before_sleep=tell,
            reraise=True,
        )
        return retrying(self._once, method, path, query, body)

    def _passes(self, error: BaseException) -> bool:
        if isinstance(error, UnreachableError) or (isinstance(error, ApiError) and is_passing(error)):
            self._away = time.monotonic()
            return True
        refused = isinstance(error, ApiError) and error.status in (401, 403)
        return refused and time.monotonic() - self._away < WARM_UP

    def _once(self, method: str, path: str, query: Mapping[str, str] | None, body: Any) -> Answer:
        header = self._credentials.header()
        try:
            return self._send(method, path, query, body, header)
        except ApiError as error:
            if error.status != 401 or not self._credentials.renewable:
                raise
            self._credentials.not_accepted(header)
            return self._send(method, path, query, body, self._credentials.header())

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Any, header: dict[str, str]
    ) -> Answer:
        url = f"{self.server}{path}{'?' + urlencode(query) if query else ''}"
        headers = {"accept": "application/json", "user-agent": "pulumi-kubernetes", **header}
        if body is not None:
            # JSON is YAML: https://kubernetes.io/docs/reference/using-api/server-side-apply/#serialization
            headers["content-type"] = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        try:
            response = self._pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"the API server {self.server} does not answer: {_cause(error)}") from error
        if response.status >= 400:
            raise api_error(response.status, response.data)
        return Answer(response.data, _warnings(response.headers))


def _pool(to: Target) -> urllib3.PoolManager:
    settings: dict[str, Any] = {"ssl_context": _context(to), "maxsize": POOL, "num_pools": 2}
    if name := to.cluster.get("tls-server-name"):
        settings["server_hostname"] = name
    proxies = getproxies()
    proxy = to.cluster.get("proxy-url") or proxies.get(urlsplit(to.server).scheme)
    if proxy and not should_bypass_proxies(to.server, proxies.get("no") or os.environ.get("NO_PROXY", "")):
        return urllib3.ProxyManager(str(proxy), **settings)
    return urllib3.PoolManager(**settings)


def _context(to: Target) -> Any:
    try:
        return ssl_context(to)
    except OSError as error:  # ssl.SSLError is an OSError
        raise CredentialsError(f"kubeconfig: a certificate or key cannot be used: {error}") from error


def _warnings(headers: Any) -> list[str]:
    """Return the texts of `299 - "text"` headers: https://kubernetes.io/blog/2020/09/03/warnings/"""
    found = (_WARNING.search(each) for each in headers.getlist("warning"))
    return [re.sub(r"\\(.)", r"\1", each[1]) for each in found if each]


def _cause(error: Exception) -> str:
    """Return the cause as text, without the name of an object in memory with which urllib3's own text begins."""
    text = str(getattr(error, "reason", None) or error)
    return text.split(": ", 1)[-1] if " object at 0x" in text else text
