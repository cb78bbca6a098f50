"""Secrets Manager: reads values, creates the first value of secrets that only machines need, and replaces values.

A new value waits under the label AWSPENDING until it works, and then gets the label AWSCURRENT, which all clients read.
After an interruption the label identifies the new value.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import boto3

LOG = logging.getLogger(__name__)
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
Document = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A value of a secret. The text is left out of its representation."""

    identifier: str
    value: Document

    def __repr__(self) -> str:
        return f"Version({self.identifier})"


class SecretsManager:
    """Client of Secrets Manager."""

    def __init__(self) -> None:
        self._client = cast("Any", boto3).client("secretsmanager")

    def read(self, arn: str) -> Document | None:
        """Return a secret's JSON, or None if it has no value yet."""
        found = self._version(arn, CURRENT)
        return found.value if found else None

    def must_read(self, arn: str) -> Document:
        """Return a secret's JSON.

        Raises:
            LookupError: the secret has no value. The message names the secret.
        """
        return self._must(arn).value

    def read_or_make(self, arn: str, make: Callable[[], Document]) -> Document:
        """Return a secret's JSON. If it has no value, create one first."""
        held = self.read(arn)
        if held is not None:
            return held
        made = make()
        self._client.put_secret_value(SecretId=arn, SecretString=json.dumps(made))
        LOG.info("put a first value into %s", arn)
        return made

    def pending(self, arn: str) -> Document | None:
        """Return the value that is to replace the current one, or None if there is none."""
        current, pending = self._version(arn, CURRENT), self._version(arn, PENDING)
        return None if pending is None or (current and pending.identifier == current.identifier) else pending.value

    def propose(self, arn: str, value: Document) -> None:
        """Store a value as the pending one. No client reads it yet."""
        self._client.put_secret_value(SecretId=arn, SecretString=json.dumps(value), VersionStages=[PENDING])

    def promote(self, arn: str) -> None:
        """Make the pending value the current one.

        Raises:
            LookupError: there is none.
        """
        current, pending = self._must(arn), self._version(arn, PENDING)
        if pending is None:
            raise LookupError(f"secret {arn} has no value that waits to become the current one")
        if pending.identifier != current.identifier:
            self._client.update_secret_version_stage(
                SecretId=arn,
                VersionStage=CURRENT,
                RemoveFromVersionId=current.identifier,
                MoveToVersionId=pending.identifier,
            )
        self._client.update_secret_version_stage(
            SecretId=arn, VersionStage=PENDING, RemoveFromVersionId=pending.identifier
        )

    def _must(self, arn: str) -> Version:
        found = self._version(arn, CURRENT)
        if found is None:
            raise LookupError(f"secret {arn} has no value yet")
        return found

    def _version(self, arn: str, stage: str) -> Version | None:
        try:
            held = self._client.get_secret_value(SecretId=arn, VersionStage=stage)
        except self._client.exceptions.ResourceNotFoundException:
            return None
        value = {key: str(value) for key, value in json.loads(held["SecretString"]).items()}
        return Version(identifier=str(held["VersionId"]), value=value)


def new_password() -> str:
    """Return a password of 256 bits, in characters that have no special meaning in a URL, an INI file or a shell."""
    return secrets.token_urlsafe(32)


def new_administrator() -> Document:
    """Return the administrator with a new password and a new key for sessions."""
    return {"username": "admin", "password": new_password(), "session_key": new_password()}


def new_account(name: str) -> Document:
    """Return an account with a new password."""
    return {"username": name, "password": new_password()}


def new_login(name: str) -> Document:
    """Return a login with a new password for a role in PostgreSQL."""
    return {"username": name, "password": new_password()}
