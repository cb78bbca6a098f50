"""Tags of deleted EC2 resources are deleted too; moto would list them for ever.

A deleted NAT gateway stays listed for a while, as on AWS, but can no longer be found by its tags.
"""

from collections.abc import Iterable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend

from mlp_sandbox.emulator.services.registry import Call, Result, extends

# The argument that names the resources an operation deletes.
_DELETED_BY = {
    "DeleteFlowLogs": "FlowLogIds",
    "DeleteInternetGateway": "InternetGatewayId",
    "DeleteNatGateway": "NatGatewayId",
    "DeleteNetworkInterface": "NetworkInterfaceId",
    "DeleteRouteTable": "RouteTableId",
    "DeleteSecurityGroup": "GroupId",
    "DeleteSubnet": "SubnetId",
    "ReleaseAddress": "AllocationId",
    "RevokeSecurityGroupEgress": "SecurityGroupRuleIds",
    "RevokeSecurityGroupIngress": "SecurityGroupRuleIds",
}


def forget_tags(call: Call, ids: Iterable[str]) -> None:
    """Drop the tags of these resources in the call's account and region."""
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    for id in ids:
        backend.tags.pop(id, None)


@extends("ec2", *_DELETED_BY)
def delete(call: Call) -> Result:
    """Delete resources with their tags."""
    result = call.proceed()
    named = call.params.get(_DELETED_BY[call.identity.operation]) or []
    forget_tags(call, [named] if isinstance(named, str) else named)
    return result


@extends("ec2", "DeleteVpc")
def delete_vpc(call: Call) -> Result:
    """Delete a VPC. The tags of its default security group and its main route table are dropped with its own."""
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    vpc = call.params["VpcId"]
    came_along = [group.id for group in backend.groups.get(vpc, {}).values()]
    came_along += [table.id for table in backend.route_tables.values() if table.vpc_id == vpc]
    result = call.proceed()
    forget_tags(call, [vpc, *came_along])
    return result


_delete_volume = EBSBackend.delete_volume


def delete_volume(self: Any, volume_id: str) -> Any:
    """Delete a volume with its tags.

    This patches moto's backend, because the termination of an instance deletes volumes without an operation.
    """
    volume = _delete_volume(self, volume_id)
    self.tags.pop(volume_id, None)
    return volume


_volumes: Any = EBSBackend
_volumes.delete_volume = delete_volume
