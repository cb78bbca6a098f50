"""RDS parameter groups: modified parameters, resets, and groups in use."""

from typing import Any

from moto.rds.models import rds_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

# Parameters that PostgreSQL reads only at its start; all others take effect at once.
_STATIC = frozenset(
    {
        "max_connections",
        "max_wal_senders",
        "max_worker_processes",
        "shared_buffers",
        "shared_preload_libraries",
        "max_prepared_transactions",
        "wal_buffers",
        "huge_pages",
        "track_commit_timestamp",
        "rds.logical_replication",
    }
)


def _backend(call: Call) -> Any:
    return rds_backends[call.identity.account][call.identity.region]


def _group(call: Call) -> Any:
    name = call.params["DBParameterGroupName"].lower()
    groups = _backend(call).db_parameter_groups
    if name not in groups:
        raise Fault("DBParameterGroupNotFound", f"DBParameterGroup not found: {name}", 404)
    return groups[name]


@extends("rds", "DescribeDBParameters")
def describe_parameters(call: Call) -> Result:
    """Describe the modified parameters, with source `user`. The engine's own defaults are not listed."""
    source = call.params.get("Source")
    if source not in {None, "user", "system", "engine-default"}:
        raise Fault("InvalidParameterValue", f"Source {source!r} is not one of user, system, engine-default")
    if call.params["DBParameterGroupName"].startswith("default."):
        return {"Parameters": []}
    modified = [] if source in {"system", "engine-default"} else list(_group(call).parameters.values())
    return {
        "Parameters": [
            {
                **parameter,
                "Source": "user",
                "ApplyType": "static" if parameter["ParameterName"] in _STATIC else "dynamic",
                "ApplyMethod": parameter.get("ApplyMethod") or "pending-reboot",
                "DataType": "string",
                "IsModifiable": True,
            }
            for parameter in modified
        ]
    }


@extends("rds", "ModifyDBParameterGroup")
def modify(call: Call) -> Result:
    """Modify a group. Like AWS, reject an immediate change of a static parameter."""
    for parameter in call.params.get("Parameters") or []:
        if parameter["ParameterName"] in _STATIC and parameter.get("ApplyMethod") == "immediate":
            raise Fault(
                "InvalidParameterCombination",
                f"cannot use immediate apply method for static parameter {parameter['ParameterName']}",
            )
    return call.proceed()


@extends("rds", "ResetDBParameterGroup")
def reset(call: Call) -> Result:
    """Reset all or the named parameters to the engine's defaults."""
    group = _group(call)
    names = [parameter["ParameterName"] for parameter in call.params.get("Parameters") or []]
    if call.params.get("ResetAllParameters") or not names:
        names = list(group.parameters)
    for name in names:
        group.parameters.pop(name, None)
    return {"DBParameterGroupName": group.name}


@extends("rds", "DeleteDBParameterGroup")
def delete(call: Call) -> Result:
    """Delete a group. Reject one that an instance uses."""
    group = _group(call)
    users = [db.db_instance_identifier for db in _instances(call) if db.db_parameter_group_name == group.name]
    if users:
        raise Fault(
            "InvalidDBParameterGroupState",
            f"One or more database instances are still members of this parameter group {group.name}, so the group "
            f"cannot be deleted: {', '.join(users)}",
        )
    return call.proceed()


def _instances(call: Call) -> list[Any]:
    return list(_backend(call).databases.values())
