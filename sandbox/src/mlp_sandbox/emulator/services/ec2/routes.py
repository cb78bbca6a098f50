"""Routes that EC2 rejects: into the VPC's own ranges, and through gateways and connections of other VPCs.

https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
"""

import ipaddress
from typing import Any

from moto.ec2.models.route_tables import Route

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.ec2.transit_gateways import is_attached, network_of, settle
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_RESERVED = ipaddress.IPv4Network("169.254.168.0/22")
_INSIDE = ("NetworkInterfaceId", "InstanceId", "VpcEndpointId", "NatGatewayId")
"""Targets that a route into the VPC's own ranges may have, when it is more specific than these."""


@extends("ec2", "CreateRoute", "ReplaceRoute")
def write(call: Call) -> Result:
    """Write a route after checks that moto lacks: moto accepts any destination, and a gateway that does not exist."""
    params = call.params
    backend = network_of(call.identity.account, call.identity.region)
    table = backend.get_route_table(params["RouteTableId"])
    _check_destination(backend.get_vpc(table.vpc_id), params)
    gateway, peering = params.get("TransitGatewayId"), params.get("VpcPeeringConnectionId")
    if gateway and not is_attached(backend, gateway, table.vpc_id):
        raise Fault("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{gateway}' does not exist.")
    if peering:
        _check_peering(backend, table, peering)
    return call.proceed()


def _check_destination(vpc: Any, params: Result) -> None:
    text = params.get("DestinationCidrBlock")
    if not text:
        return
    try:
        wanted = ipaddress.IPv4Network(text)
    except ValueError:
        return  # moto rejects it
    if wanted.subnet_of(_RESERVED):
        raise Fault("InvalidParameterValue", f"The destination CIDR block {text} is reserved: it lies in {_RESERVED}.")
    own = [ipaddress.IPv4Network(each["cidr_block"]) for each in vpc.get_cidr_block_association_set()]
    if any(wanted.subnet_of(each) for each in own) and not any(params.get(target) for target in _INSIDE):
        message = (
            f"The destination CIDR block {text} is equal to or more specific than one of this VPC's CIDR blocks. "
            "This route can target only an interface or an instance."
        )
        raise Fault("InvalidParameterValue", message)


def _check_peering(backend: Any, table: Any, id: str) -> None:
    """Check that the peering connection exists and belongs to the VPC.

    A connection that awaits acceptance may be a target: the route leads nowhere until then.
    """
    peering = backend.vpc_pcxs.get(id)
    if peering is None or peering._status.code in ("deleted", "rejected"):
        message = f"The vpcPeeringConnection ID '{id}' does not exist"
        raise Fault("InvalidVpcPeeringConnectionID.NotFound", message)
    if table.vpc_id not in (peering.vpc.id, peering.peer_vpc.id):
        message = f"route table {table.id} and vpc peering connection {id} belong to different networks"
        raise Fault("InvalidParameterValue", message)


def state(self: Any) -> str:
    """Return the state of a route. A route whose target is gone stays, as a blackhole."""
    backend = self.route_table.ec2_backend
    if self.transit_gateway is not None:
        settle(backend)
        attached = is_attached(backend, self.transit_gateway.id, self.route_table.vpc_id)
        return "active" if attached else "blackhole"
    if self.vpc_pcx is not None:
        return "active" if self.vpc_pcx._status.code == "active" else "blackhole"
    return "active"


_route: Any = Route
_route.state = property(state)
