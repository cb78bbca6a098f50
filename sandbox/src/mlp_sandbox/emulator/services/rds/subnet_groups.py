"""RDS subnet groups: updates that keep the group and check its subnets; groups in use are not deleted."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.rds.models import rds_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends("rds", "ModifyDBSubnetGroup")
def modify(call: Call) -> Result:
    """Modify a group. moto removes the group from its list without adding it again, and does not check the subnets."""
    groups: Any = rds_backends[call.identity.account][call.identity.region].subnet_groups
    name = call.params["DBSubnetGroupName"]
    key = next((key for key in groups if key.lower() == name.lower()), None)
    if key is None:
        raise Fault("DBSubnetGroupNotFoundFault", f"DB subnet group '{name.lower()}' does not exist.", 404)
    group = groups[key]
    _check_subnets(call, group)
    result = call.proceed(call.altered(DBSubnetGroupName=key))
    groups[key] = group
    return result


def _check_subnets(call: Call, group: Any) -> None:
    known: dict[str, Any] = {
        subnet_id: subnet
        for zone in ec2_backends[call.identity.account][call.identity.region].subnets.values()
        for subnet_id, subnet in zone.items()
    }
    wanted: list[str] = call.params.get("SubnetIds") or []
    unknown = [subnet_id for subnet_id in wanted if subnet_id not in known]
    if unknown or not wanted:
        raise Fault("InvalidSubnet", f"Some input subnets in :[{', '.join(unknown)}] are invalid.")
    if any(known[subnet_id].vpc_id != group.vpc_id for subnet_id in wanted):
        raise Fault("InvalidParameterValue", "The new Subnets are not in the same Vpc as the existing subnet group")
    zones = sorted({known[subnet_id].availability_zone for subnet_id in wanted})
    if len(zones) < 2:
        raise Fault(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(zones)}. Add subnets to cover at least 2 AZs.",
        )


@extends("rds", "DeleteDBSubnetGroup")
def delete(call: Call) -> Result:
    """Delete a group. Reject one that an instance uses."""
    name = call.params["DBSubnetGroupName"].lower()
    instances = rds_backends[call.identity.account][call.identity.region].databases.values()
    users = [
        db.db_instance_identifier
        for db in instances
        if getattr(getattr(db, "db_subnet_group", None), "name", "") == name
    ]
    if users:
        raise Fault(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{name}' because at least one database instance: {users[0]} is still "
            "using it.",
        )
    return call.proceed()
