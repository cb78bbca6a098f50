"""Sign-in at MLflow with the project's account, whose credentials the platform keeps in Secrets Manager.

The pod's role may read that one secret; name and password are in no manifest. `mlp rotate` changes the password while
pods run: a request that MLflow rejects because of the old password is repeated once with the secret's current value.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Final, cast

from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
from mlflow.tracking.request_auth.registry import (
    _request_auth_provider_registry as providers,  # pyright: ignore[reportPrivateUsage] - others come as packages
)
from requests import PreparedRequest, Response
from requests.auth import AuthBase, HTTPBasicAuth

from ml_workloads.runtime import aws
from ml_workloads.runtime.errors import PlatformError

LOG = logging.getLogger(__name__)
ACCOUNT_VARIABLE = "TRACKING_ACCOUNT"
PROVIDER: Final = "platform-account"
"""The value of MLFLOW_TRACKING_AUTH. https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html"""

PATIENCE_SECONDS = 30.0
"""Maximum time to wait for a new password. Between the change at MLflow and the change of the secret lies less than a
second, or the restart of a Job's pod."""

_PAUSE_SECONDS: Final = 1.0
_UNAUTHORIZED: Final = 401
Credentials = tuple[str, str]


def signed_in_as() -> str | None:
    """Return the account that MLflow's client signs in with, None if it does not sign in."""
    return os.environ.get("MLFLOW_TRACKING_USERNAME") or None


class AccountError(PlatformError):
    """The account cannot be read. The message names the secret and says what to do."""


class RenewedAuth(AuthBase):
    """Basic authentication that reads the password again when MLflow rejects it.

    Args:
        read: returns the current name and password.
        patience: maximum time in seconds to wait for a password other than the rejected one.
    """

    def __init__(self, read: Callable[[], Credentials], patience: float = PATIENCE_SECONDS) -> None:
        self._read, self._patience = read, patience
        self._lock = threading.Lock()
        self._held = read()

    @property
    def held(self) -> Credentials:
        """Name and password that requests are sent with."""
        return self._held

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        """Sign a request. `requests` calls this method."""
        used = self._held
        body: Any = cast("Any", r).body
        position = body.tell() if hasattr(body, "seek") else None
        is_repeatable = position is not None or body is None or isinstance(body, bytes | str)

        def again(response: Response, **options: Any) -> Response:
            if response.status_code != _UNAUTHORIZED or not is_repeatable or not self._renew(used):
                return response
            repeated = response.request.copy()
            if position is not None:
                cast("Any", body).seek(position)
            # The connection is released only after the rejected response was read.
            _ = response.content
            response.close()
            HTTPBasicAuth(*self._held)(repeated)
            answer: Response = cast("Any", response).connection.send(repeated, **options)
            answer.history.append(response)
            answer.request = repeated
            return answer

        r.register_hook("response", again)
        return HTTPBasicAuth(*used)(r)

    def _renew(self, refused: Credentials) -> bool:
        """Read the credentials until they differ from the rejected ones. Return whether they do."""
        deadline = time.monotonic() + self._patience
        with self._lock:
            while self._held == refused:
                try:
                    self._held = self._read()
                except PlatformError as error:
                    LOG.warning("the account's new password cannot be read: %s", error)
                if self._held == refused:
                    if time.monotonic() > deadline:
                        return False
                    time.sleep(_PAUSE_SECONDS)
        LOG.info("MLflow's password of %s has changed; signing in with the new one", self._held[0])
        return True


class _Provider(RequestAuthProvider):
    auth: AuthBase | None = None

    # The base class has no type annotations.
    def get_name(self) -> Any:
        return PROVIDER

    def get_auth(self) -> Any:
        return _Provider.auth


def sign_in_with(auth: RenewedAuth) -> None:
    """Make MLflow's client sign its requests with `auth`, if MLFLOW_TRACKING_AUTH names `PROVIDER`."""
    known: Any = providers
    if not any(each.get_name() == PROVIDER for each in known):
        known.register(_Provider)
    _Provider.auth = auth


def sign_in(*, patience_seconds: float = 0.0) -> None:
    """Give MLflow's client name and password, if the environment names a secret that holds them.

    Without such a secret MLflow's own variables apply, or its server requires no sign-in.

    Args:
        patience_seconds: maximum time to wait for Secrets Manager and the pod's credentials; 0 means one attempt.

    Raises:
        AccountError: there is no such secret, the role may not read it, or it holds no account.
        PlatformError: Secrets Manager or the pod's credentials were not available in that time.
    """
    secret = os.environ.get(ACCOUNT_VARIABLE)
    if not secret:
        return
    auth = RenewedAuth(lambda: _read(secret, patience_seconds))
    sign_in_with(auth)
    os.environ["MLFLOW_TRACKING_AUTH"] = PROVIDER
    # For child processes of the project's code: they inherit these variables, but not the provider.
    os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"] = auth.held


def _read(secret: str, patience_seconds: float) -> Credentials:
    try:
        held = aws.secret(secret, seconds=patience_seconds)
    except aws.REFUSALS as error:
        raise AccountError(f"{ACCOUNT_VARIABLE}: {secret} cannot be read: {aws.said(error)}") from error
    try:
        account = json.loads(held)
        return str(account["username"]), str(account["password"])
    except (ValueError, KeyError, TypeError):
        raise AccountError(f"{ACCOUNT_VARIABLE}: {secret} holds no username and password") from None
