"""Secrets Manager: reading what is there, the first value of what only machines need to know, and the next one.

A new value waits under the label AWSPENDING until it works, and then takes AWSCURRENT over, which is what everybody
reads. Whatever is interrupted in between is found again by its label.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

LOG = logging.getLogger(__name__)
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
Document = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A value of a secret. Its text is not shown where the object is printed."""

    identifier: str
    value: Document

    def __repr__(self) -> str:
        return f"Version({self.identifier})"


class Vault:
    def __init__(self) -> None:
        self._client: Any = boto3.client("secretsmanager")

    def read(self, arn: str) -> Document | None:
        """A secret's JSON, or None when it has no value yet."""
        found = self._version(arn, CURRENT)
        return found.value if found else None

    def must_read(self, arn: str) -> Document:
        """Raises LookupError, which names the secret, when it has no value."""
        return self._must(arn).value

    def read_or_make(self, arn: str, make: Callable[[], Document]) -> Document:
        """What it holds; where it holds nothing, something new is put into it first."""
        held = self.read(arn)
        if held is not None:
            return held
        made = make()
        self._client.put_secret_value(SecretId=arn, SecretString=json.dumps(made))
        LOG.info("put a first value into %s", arn)
        return made

    def pending(self, arn: str) -> Document | None:
        """Return the value that is to take the current one's place; None where there is none."""
        current, pending = self._version(arn, CURRENT), self._version(arn, PENDING)
        return None if pending is None or (current and pending.identifier == current.identifier) else pending.value

    def propose(self, arn: str, value: Document) -> None:
        """Make a value the pending one. Nobody reads it yet."""
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
    """256 bits, in characters that no URL, INI or shell takes for something else."""
    return secrets.token_urlsafe(32)


def new_administrator() -> Document:
    return {"username": "admin", "password": new_password(), "session_key": new_password()}


def new_account(name: str) -> Document:
    return {"username": name, "password": new_password()}


def new_login(name: str) -> Document:
    """Return a first or next password for a role in PostgreSQL."""
    return {"username": name, "password": new_password()}
