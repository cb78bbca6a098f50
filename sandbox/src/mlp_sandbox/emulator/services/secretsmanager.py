"""Secrets Manager: names of secrets scheduled for deletion, removed descriptions, and moved labels."""

import time
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends


def _secrets(call: Call) -> Any:
    return secretsmanager_backends[call.identity.account][call.identity.region].secrets


@extends("secretsmanager", "CreateSecret")
def create(call: Call) -> Result:
    """Create a secret.

    For a name in its recovery window the error is AWS's, not that the name exists. After the window the name is free.
    """
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
    """Update a secret. An empty description is stored; moto treats it as not sent."""
    result = call.proceed()
    if call.params.get("Description") == "":
        _secrets(call)[call.params["SecretId"]].description = ""
    return result


@extends("secretsmanager", "UpdateSecretVersionStage")
def update_stage(call: Call) -> Result:
    """Move a label. Reject what AWS rejects when another version has it, and make the current version the one read.

    moto keeps returning the version that was stored last, and validates AWSCURRENT only.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    secret, label = _secrets(call).get(call.params["SecretId"]), str(call.params["VersionStage"])
    taken, given = call.params.get("RemoveFromVersionId"), call.params.get("MoveToVersionId")
    versions: dict[str, Any] = getattr(secret, "versions", {})
    holder = next((name for name, version in versions.items() if label in version["version_stages"]), None)
    if given and holder not in (None, given, taken):
        said = (
            f"When you move staging label {label}, if you specify RemoveFromVersionId, it must be set to the version "
            f"that currently has the staging label {label}."
            if taken
            else f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to "
            f"version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
        )
        raise Fault("InvalidParameterException", said)
    if label == "AWSCURRENT" and holder is not None and not given:
        raise Fault(
            "InvalidParameterException",
            "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        )
    result = call.proceed()
    if label == "AWSCURRENT" and given:
        _secrets(call)[call.params["SecretId"]].set_default_version_id(given)
    return result
