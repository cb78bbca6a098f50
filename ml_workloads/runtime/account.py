"""Signing in at MLflow with the project's account, which the platform keeps in Secrets Manager.

The pod's role may read that one secret; name and password are nowhere in a manifest.
"""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ACCOUNT_VARIABLE = "TRACKING_ACCOUNT"


class AccountError(RuntimeError):
    """The account cannot be read. The message names the secret and says what to do."""


def sign_in() -> None:
    """Give MLflow's client name and password, where the environment names a secret that holds them.

    Without one MLflow's own variables hold, or its server asks for no sign-in.

    Raises:
        AccountError: there is no such secret, the role may not read it, or it is no account.
    """
    secret = os.environ.get(ACCOUNT_VARIABLE)
    if not secret:
        return
    client: Any = boto3.client("secretsmanager")
    try:
        held = client.get_secret_value(SecretId=secret)["SecretString"]
    except (BotoCoreError, ClientError) as error:
        raise AccountError(f"{ACCOUNT_VARIABLE}: {secret} cannot be read: {error}") from error
    try:
        account = json.loads(held)
        os.environ["MLFLOW_TRACKING_USERNAME"] = account["username"]
        os.environ["MLFLOW_TRACKING_PASSWORD"] = account["password"]
    except (ValueError, KeyError, TypeError):
        raise AccountError(f"{ACCOUNT_VARIABLE}: {secret} holds no username and password") from None
