"""Tags of deleted EC2 resources go with them: moto would list them for ever under what is no more.

A deleted NAT gateway stays listed for a while, as on AWS, but nothing finds it by its tags any more.
"""

from collections.abc import Iterable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import EBSBackend

from mlp_sandbox.emulator.services.registry import Call, Result, extends

# Which argument names what an operation deletes.
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
    """Drop the tags of these resources of the call's account and region."""
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    for id in ids:
        backend.tags.pop(id, None)


@extends("ec2", *_DELETED_BY)
def delete(call: Call) -> Result:
    """Drop the tags of what was deleted."""
    result = call.proceed()
    named = call.params.get(_DELETED_BY[call.identity.operation]) or []
    forget_tags(call, [named] if isinstance(named, str) else named)
    return result


@extends("ec2", "DeleteVpc")
def delete_vpc(call: Call) -> Result:
    """With a VPC goes what came with it: its default security group and its main route table."""
    backend: Any = ec2_backends[call.identity.account][call.identity.region]
    vpc = call.params["VpcId"]
    came_along = [group.id for group in backend.groups.get(vpc, {}).values()]
    came_along += [table.id for table in backend.route_tables.values() if table.vpc_id == vpc]
    result = call.proceed()
    forget_tags(call, [vpc, *came_along])
    return result


_delete_volume = EBSBackend.delete_volume


def delete_volume(self: Any, volume_id: str) -> Any:
    """In moto's backend, because volumes go with terminated instances too, which is no operation of its own."""
    volume = _delete_volume(self, volume_id)
    self.tags.pop(volume_id, None)
    return volume


_volumes: Any = EBSBackend
_volumes.delete_volume = delete_volume
