"""Signing in at MLflow with the project's account, which the platform keeps in Secrets Manager.

The pod's role may read that one secret; name and password are nowhere in a manifest.
"""

from __future__ import annotations

import json
import os

from ml_workloads.runtime import aws
from ml_workloads.runtime.errors import PlatformError

ACCOUNT_VARIABLE = "TRACKING_ACCOUNT"


def signed_in_as() -> str | None:
    """Return the account that MLflow's client signs in with, None where it signs in with none."""
    return os.environ.get("MLFLOW_TRACKING_USERNAME") or None


class AccountError(PlatformError):
    """The account cannot be read. The message names the secret and says what to do."""


def sign_in(*, patience_seconds: float = 0.0) -> None:
    """Give MLflow's client name and password, where the environment names a secret that holds them.

    Without one MLflow's own variables hold, or its server asks for no sign-in.

    Args:
        patience_seconds: for how long Secrets Manager and the pod's credentials are waited for; 0 is one attempt.

    Raises:
        AccountError: there is no such secret, the role may not read it, or it is no account.
        PlatformError: Secrets Manager or the pod's credentials did not come in that time.
    """
    secret = os.environ.get(ACCOUNT_VARIABLE)
    if not secret:
        return
    try:
        held = aws.secret(secret, seconds=patience_seconds)
    except aws.REFUSALS as error:
        raise AccountError(f"{ACCOUNT_VARIABLE}: {secret} cannot be read: {aws.said(error)}") from error
    try:
        account = json.loads(held)
        os.environ["MLFLOW_TRACKING_USERNAME"] = account["username"]
        os.environ["MLFLOW_TRACKING_PASSWORD"] = account["password"]
    except (ValueError, KeyError, TypeError):
        raise AccountError(f"{ACCOUNT_VARIABLE}: {secret} holds no username and password") from None
