"""Secrets Manager: names that wait for their deletion, and descriptions that are taken away."""

import time
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from sandbox.emulator.extensions.registry import Call, Result, extends
from sandbox.emulator.faults import Fault


def _secrets(call: Call) -> Any:
    return secretsmanager_backends[call.identity.account][call.identity.region].secrets


@extends("secretsmanager", "CreateSecret")
def create(call: Call) -> Result:
    """Say of a name in its recovery window what AWS says, not that it exists; after the window the name is free."""
    secrets, name = _secrets(call), call.params["Name"]
    deletion = getattr(secrets.get(name), "deleted_date", None)
    if deletion is not None:
        if deletion > time.time():
            raise Fault(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
        secrets.pop(name)
    return call.proceed()


@extends("secretsmanager", "UpdateSecret")
def update(call: Call) -> Result:
    """An empty description is a description; moto takes it for none sent."""
    result = call.proceed()
    if call.params.get("Description") == "":
        _secrets(call)[call.params["SecretId"]].description = ""
    return result
