"""Attachments of VPCs to transit gateways, and look-ups of gateways and peering connections that others made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, missing, one_of, present
from mlp_sandbox.providers.aws.services._waiting import wait_until
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn, own_tags

OPTIONS = {
    "applianceModeSupport": "ApplianceModeSupport",
    "dnsSupport": "DnsSupport",
    "ipv6Support": "Ipv6Support",
    "securityGroupReferencingSupport": "SecurityGroupReferencingSupport",
}
SWITCH = ("disable", "enable")
GONE = ("InvalidTransitGatewayAttachmentID.NotFound",)
OF_ITS_OWNER = "the route tables of a gateway are its owner's, which no emulated account is; leave it out"


class VpcAttachment(Ec2Handler):
    token = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
    tagged = True
    api = Api(
        *("transit-gateway-attachment", "describe_transit_gateway_vpc_attachments", "TransitGatewayAttachmentIds"),
        *("TransitGatewayVpcAttachments", GONE),
    )
    outputs = ("arn", "vpcOwnerId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "applianceModeSupport": Field(default="disable"),
        "dnsSupport": Field(default="enable"),
        "ipv6Support": Field(default="disable"),
        "securityGroupReferencingSupport": Field(computed=True),
        "subnetIds": Field(kind="set"),
        "transitGatewayDefaultRouteTableAssociation": Field(computed=True, write_only=True),
        "transitGatewayDefaultRouteTablePropagation": Field(computed=True, write_only=True),
        "transitGatewayId": Field(replace=True),
        "vpcId": Field(replace=True),
    }
    unsupported: ClassVar[Mapping[str, str]] = {
        "transitGatewayDefaultRouteTableAssociation": OF_ITS_OWNER,
        "transitGatewayDefaultRouteTablePropagation": OF_ITS_OWNER,
    }

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        for name in OPTIONS:
            problems += one_of(inputs, name, SWITCH)
        if inputs.get("subnetIds") == []:
            problems.append(("subnetIds", "is empty: give one subnet of each zone"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        id = self.client(aws, inputs).create_transit_gateway_vpc_attachment(
            TransitGatewayId=inputs["transitGatewayId"],
            VpcId=inputs["vpcId"],
            SubnetIds=inputs["subnetIds"],
            Options=_options(inputs),
            **self.tagging(inputs),
        )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        aws.created(id)
        # An attachment that its owner has yet to accept counts as made, as it does for the official provider.
        self._wait(aws, id, inputs, "available", "pendingAcceptance")
        return id

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        owner, options = live["VpcOwnerId"], live.get("Options", {})
        return {
            "arn": arn(self.region(aws, inputs), owner, f"transit-gateway-attachment/{id}"),
            "vpcOwnerId": owner,
            "subnetIds": live["SubnetIds"],
            "transitGatewayId": live["TransitGatewayId"],
            "vpcId": live["VpcId"],
            **present(**{name: options.get(key) for name, key in OPTIONS.items()}),
        }

    def modify(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        before, after = set(old.get("subnetIds") or []), set(new.get("subnetIds") or [])
        members = {"AddSubnetIds": sorted(after - before), "RemoveSubnetIds": sorted(before - after)}
        self.client(aws, new).modify_transit_gateway_vpc_attachment(
            TransitGatewayAttachmentId=id,
            Options=_options(new),
            **{name: ids for name, ids in members.items() if ids},
        )
        self._wait(aws, id, new, "available")

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.find(aws, id, state)  # a deleted attachment stays listed for a while
        self.client(aws, state).delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id)
        self._wait(aws, id, state, "deleted")

    def _wait(self, aws: Aws, id: str, props: Props, *wanted: str) -> None:
        wait_until(
            f"transit gateway attachment {id}",
            lambda: self._status(aws, id, props),
            wanted,
            timeout=aws.timeout,
            failed={"failed", "rejected"},
            progress=aws.progress,
        )

    def _status(self, aws: Aws, id: str, props: Props) -> str:
        try:
            return str(self.find(aws, id, props)["State"])
        except NotFoundError:
            return "deleted"


def _options(inputs: Props) -> dict[str, Any]:
    """Return all options: one that the program leaves out returns to AWS's default."""
    wanted = {key: inputs.get(name) or VpcAttachment.fields[name].default for name, key in OPTIONS.items()}
    return {key: value for key, value in wanted.items() if value}


def transit_gateway(aws: Aws, args: Props) -> Props:
    """Look up a transit gateway by id, the only way that the program uses."""
    what = "EC2 Transit Gateway"
    live = _one(what, args, ("InvalidTransitGatewayID.NotFound",), lambda ids: _gateways(aws, ids))
    options = live["Options"]
    return {
        "id": live["TransitGatewayId"],
        "arn": live["TransitGatewayArn"],
        "ownerId": live["OwnerId"],
        "description": live.get("Description", ""),
        "region": aws.region,
        "tags": own_tags(live),
        "amazonSideAsn": str(options["AmazonSideAsn"]),
        "autoAcceptSharedAttachments": options["AutoAcceptSharedAttachments"],
        "defaultRouteTableAssociation": options["DefaultRouteTableAssociation"],
        "defaultRouteTablePropagation": options["DefaultRouteTablePropagation"],
        "dnsSupport": options["DnsSupport"],
        "multicastSupport": options["MulticastSupport"],
        "vpnEcmpSupport": options["VpnEcmpSupport"],
    }


def peering_connection(aws: Aws, args: Props) -> Props:
    """Look up a peering connection by id, the only way that the program uses."""
    what = "EC2 VPC Peering Connection"
    live = _one(what, args, ("InvalidVpcPeeringConnectionID.NotFound",), lambda ids: _peerings(aws, ids))
    requester, accepter = live["RequesterVpcInfo"], live["AccepterVpcInfo"]
    return {
        "id": live["VpcPeeringConnectionId"],
        "status": live["Status"]["Code"],
        "region": aws.region,
        "tags": own_tags(live),
        "ownerId": requester["OwnerId"],
        "vpcId": requester["VpcId"],
        "cidrBlock": requester.get("CidrBlock", ""),
        "peerOwnerId": accepter["OwnerId"],
        "peerVpcId": accepter["VpcId"],
        "peerCidrBlock": accepter.get("CidrBlock", ""),
        "peerRegion": accepter.get("Region", ""),
    }


def _one(what: str, args: Props, gone: tuple[str, ...], describe: Callable[[list[str]], list[Live]]) -> Live:
    """Look up one object by id; when there is none, the error has the official provider's text."""
    if set(args) - {"id", "region"} or not args.get("id"):
        raise ValueError(f"look-ups of an {what} by anything but its id are not supported here: give id alone")
    try:
        with missing(*gone):
            found = describe([str(args["id"])])
    except NotFoundError:
        found = []
    if not found:
        raise ValueError(f"no matching {what} found")
    return found[0]


def _gateways(aws: Aws, ids: list[str]) -> list[Live]:
    return aws.client("ec2").describe_transit_gateways(TransitGatewayIds=ids)["TransitGateways"]


def _peerings(aws: Aws, ids: list[str]) -> list[Live]:
    found = aws.client("ec2").describe_vpc_peering_connections(VpcPeeringConnectionIds=ids)
    return found["VpcPeeringConnections"]


HANDLERS: list[Handler] = [VpcAttachment()]
INVOKES: dict[str, Callable[[Aws, Props], Props]] = {
    "aws:ec2transitgateway/getTransitGateway:getTransitGateway": transit_gateway,
    "aws:ec2/getVpcPeeringConnection:getVpcPeeringConnection": peering_connection,
}
