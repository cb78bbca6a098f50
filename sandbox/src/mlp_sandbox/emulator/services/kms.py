"""KMS: rotation period, and rejection of keys that are disabled or awaiting deletion."""

from typing import Any

from moto.kms.models import kms_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

DEFAULT_ROTATION_DAYS = 365
_USES = ("Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "Sign", "Verify", "GenerateMac", "VerifyMac")


def _key(call: Call, key_id: str) -> Any:
    backend = kms_backends[call.identity.account][call.identity.region]
    try:
        return backend.keys[backend.any_id_to_key_id(key_id)]
    except KeyError:
        return None


@extends("kms", "EnableKeyRotation")
def enable_rotation(call: Call) -> Result:
    """Enable rotation and store the period; AWS allows 90 to 2560 days."""
    days = int(call.params.get("RotationPeriodInDays") or DEFAULT_ROTATION_DAYS)
    if not 90 <= days <= 2560:
        raise Fault(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: "
            "Member must have a value between 90 and 2560",
        )
    result = call.proceed()
    call.remembered("rotation")[_key(call, call.params["KeyId"]).id] = days
    return result


@extends("kms", "GetKeyRotationStatus")
def rotation_status(call: Call) -> Result:
    """Return the period and the next date while rotation is on, as AWS does."""
    result = call.proceed()
    key = _key(call, call.params["KeyId"])
    result["KeyId"] = key.arn
    if result.get("KeyRotationEnabled"):
        days = call.remembered("rotation").get(key.id, DEFAULT_ROTATION_DAYS)
        result |= {"RotationPeriodInDays": days, "NextRotationDate": key.creation_date + days * 86400}
    return result


@extends("kms", *_USES)
def use_key(call: Call) -> Result:
    """Use a key. Reject a key that is disabled or pending deletion."""
    key = _key(call, call.params["KeyId"])
    state = getattr(key, "key_state", "Enabled")
    if state == "Disabled":
        raise Fault("DisabledException", f"{key.arn} is disabled.")
    if state == "PendingDeletion":
        raise Fault("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return call.proceed()
