"""`Authorization` header of a kubeconfig's user: a token, a token file, a password, or the output of a command.

The output of exec commands (`aws eks get-token`) is kept until shortly before it expires. The command runs again when
the API server does not accept the output. https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
"""

from __future__ import annotations

import base64
import time
from datetime import datetime
from threading import Lock
from typing import Any

from kubernetes.config.config_exception import ConfigException
from kubernetes.config.exec_provider import ExecProvider
from kubernetes.config.kube_config import ConfigNode

from mlp_sandbox.providers.kubernetes.errors import CredentialsError
from mlp_sandbox.providers.kubernetes.kubeconfig import Target

EARLY_SECONDS = 30.0


class Credentials:
    def __init__(self, to: Target) -> None:
        self._to = to
        self._lock = Lock()
        self._token = ""
        self._expires = 0.0

    @property
    def renewable(self) -> bool:
        return bool(self._to.user.get("exec") or self._to.user.get("tokenFile"))

    def header(self) -> dict[str, str]:
        """Return the header; empty for a user without credentials.

        Raises:
            CredentialsError: there are no credentials; the message has the command's output.
        """
        user = self._to.user
        if user.get("exec"):
            return {"authorization": f"Bearer {self._from_command()}"}
        if user.get("tokenFile"):
            try:
                return {"authorization": f"Bearer {(self._to.folder / user['tokenFile']).read_text().strip()}"}
            except OSError as error:
                raise CredentialsError(f"kubeconfig: tokenFile cannot be read: {error}") from error
        if user.get("token"):
            return {"authorization": f"Bearer {user['token']}"}
        if user.get("username"):
            pair = f"{user['username']}:{user.get('password', '')}".encode()
            return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}

    def not_accepted(self, header: dict[str, str]) -> None:
        """Forget a token that the API server rejected, unless another thread already has a newer one."""
        with self._lock:
            if header.get("authorization") == f"Bearer {self._token}":
                self._token = ""

    def _from_command(self) -> str:
        with self._lock:
            if self._token and time.time() < self._expires - EARLY_SECONDS:
                return self._token
            status = self._run()
            if not (token := status.get("token")):
                raise CredentialsError(f"kubeconfig: {self._command} answered without a token")
            self._token = str(token)
            self._expires = _seconds(status.get("expirationTimestamp"))
            return self._token

    def _run(self) -> dict[str, Any]:
        settings = ConfigNode("exec", self._to.user["exec"])
        cluster = ConfigNode("cluster", self._to.cluster)
        try:
            return ExecProvider(settings, str(self._to.folder) or None, cluster).run()
        except (ConfigException, OSError) as error:
            raise CredentialsError(f"kubeconfig: no credentials from {self._command}: {error}") from error

    @property
    def _command(self) -> str:
        settings = self._to.user["exec"]
        return f"`{' '.join([str(settings.get('command')), *map(str, settings.get('args') or [])])}`"


def _seconds(timestamp: Any) -> float:
    """Return the expiry in seconds since the epoch; infinity for credentials without one."""
    if not timestamp:
        return float("inf")
    try:
        return datetime.fromisoformat(str(timestamp).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return time.time() + 2 * EARLY_SECONDS
