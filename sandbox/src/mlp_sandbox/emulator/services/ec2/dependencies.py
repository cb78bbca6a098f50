"""Dependencies that block a deletion on EC2, and the clean-up after a NAT gateway.

https://docs.aws.amazon.com/vpc/latest/userguide/subnet-deleting.html
https://docs.aws.amazon.com/vpc/latest/userguide/deleting-security-groups.html
https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html
"""

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.ec2.transit_gateways import settle

_delete_nat_gateway = NatGatewayBackend.delete_nat_gateway
_delete_subnet = SubnetBackend.delete_subnet
_delete_group = SecurityGroupBackend.delete_security_group
_delete_vpc = VPCBackend.delete_vpc


def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
    """Delete a NAT gateway with its network interface, and release its address."""
    if nat_gateway_id not in self.nat_gateways:
        raise Fault("NatGatewayNotFound", f"NAT gateway {nat_gateway_id} was not found")
    gateway = _delete_nat_gateway(self, nat_gateway_id)
    for interface in [each["networkInterfaceId"] for each in gateway.address_set]:
        for address in self.addresses:
            if address.network_interface_id == interface:
                self.disassociate_address(association_id=address.association_id)
        self.enis.pop(interface, None)
    return gateway


def delete_subnet(self: Any, subnet_id: str) -> Any:
    settle(self)  # the interfaces of a deleted attachment to a transit gateway are gone
    if any(interface.subnet.id == subnet_id for interface in self.enis.values()):
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return _delete_subnet(self, subnet_id)


def delete_group(self: Any, name: str | None = None, group_id: str | None = None) -> Any:
    if group_id and any(group_id in {each.id for each in eni.group_set} for eni in self.enis.values()):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    return _delete_group(self, name, group_id)


def delete_vpc(self: Any, vpc_id: str) -> Any:
    if any(subnet.vpc_id == vpc_id for zone in self.subnets.values() for subnet in zone.values()):
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    # A peering connection with a deleted VPC can be neither accepted nor used.
    for peering in (each for each in self.vpc_pcxs.values() if vpc_id in (each.vpc.id, each.peer_vpc.id)):
        peering._status.deleted(deleter_id=self.account_id)
    return _delete_vpc(self, vpc_id)


_gateways: Any = NatGatewayBackend
_gateways.delete_nat_gateway = delete_nat_gateway
_subnets: Any = SubnetBackend
_subnets.delete_subnet = delete_subnet
_groups: Any = SecurityGroupBackend
_groups.delete_security_group = delete_group
_vpcs: Any = VPCBackend
_vpcs.delete_vpc = delete_vpc
