"""CloudWatch Logs: class and deletion protection of log groups."""

from typing import Any

from moto.logs.models import logs_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends


def _known(call: Call) -> Any:
    return logs_backends[call.identity.account][call.identity.region].groups


def _name(identifier: str) -> str:
    return identifier.split(":log-group:", 1)[-1].removesuffix(":*")


@extends("logs", "CreateLogGroup")
def create(call: Call) -> Result:
    """Create a log group and store its class and protection."""
    result = call.proceed()
    call.remembered("groups")[call.params["logGroupName"]] = {
        "logGroupClass": call.params.get("logGroupClass") or "STANDARD",
        "deletionProtectionEnabled": bool(call.params.get("deletionProtectionEnabled")),
    }
    return result


@extends("logs", "PutLogGroupDeletionProtection")
def protect(call: Call) -> Result:
    """Switch the deletion protection of a log group."""
    name = _name(call.params["logGroupIdentifier"])
    if name not in _known(call):
        raise Fault("ResourceNotFoundException", f"The specified log group does not exist: {name}")
    kept = call.remembered("groups").setdefault(name, {"logGroupClass": "STANDARD"})
    kept["deletionProtectionEnabled"] = bool(call.params["deletionProtectionEnabled"])
    return {}


@extends("logs", "DeleteLogGroup")
def delete(call: Call) -> Result:
    """Delete a log group. Reject a protected one."""
    name = call.params["logGroupName"]
    if call.remembered("groups").get(name, {}).get("deletionProtectionEnabled") and name in _known(call):
        raise Fault(
            "OperationAbortedException",
            f"The log group {name} cannot be deleted because deletion protection is enabled for it.",
        )
    result = call.proceed()
    call.remembered("groups").pop(name, None)
    return result


@extends("logs", "DescribeLogGroups")
def describe(call: Call) -> Result:
    """Describe log groups with class and protection. Groups that other services created have the standard class."""
    result = call.proceed()
    kept = call.remembered("groups")
    standard = {"logGroupClass": "STANDARD", "deletionProtectionEnabled": False}
    result["logGroups"] = [group | standard | kept.get(group["logGroupName"], {}) for group in result["logGroups"]]
    return result
