"""Secrets Manager: reading what is there, and the first value of what only machines need to know."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

import boto3

LOG = logging.getLogger(__name__)
Document = dict[str, str]


class Vault:
    def __init__(self) -> None:
        self._client: Any = boto3.client("secretsmanager")

    def read(self, arn: str) -> Document | None:
        """A secret's JSON, or None when it has no value yet."""
        try:
            held = self._client.get_secret_value(SecretId=arn)["SecretString"]
        except self._client.exceptions.ResourceNotFoundException:
            return None
        return {key: str(value) for key, value in json.loads(held).items()}

    def must_read(self, arn: str) -> Document:
        """Raises LookupError, which names the secret, when it has no value."""
        held = self.read(arn)
        if held is None:
            raise LookupError(f"secret {arn} has no value yet")
        return held

    def read_or_make(self, arn: str, make: Callable[[], Document]) -> Document:
        """What it holds; where it holds nothing, something new is put into it first."""
        held = self.read(arn)
        if held is not None:
            return held
        made = make()
        self._client.put_secret_value(SecretId=arn, SecretString=json.dumps(made))
        LOG.info("put a first value into %s", arn)
        return made


def new_password() -> str:
    """256 bits, in characters that no URL, INI or shell takes for something else."""
    return secrets.token_urlsafe(32)


def new_administrator() -> Document:
    return {"username": "admin", "password": new_password(), "session_key": new_password()}


def new_account(name: str) -> Document:
    return {"username": name, "password": new_password()}
