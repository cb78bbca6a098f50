"""A way between the VPC and networks that are not the platform's, and back: the routes that answers take.

Callers from there reach what has an address in the intra subnets, such as the interfaces of the Kubernetes API, as far
as security groups let them. Nodes and pods have no business there: their subnets get no route.
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.naming import check_unique, slug
from components.network.gateway_presence import Gateway, gateway_hooks

GATEWAY_ID = re.compile(r"(tgw|pcx)-[0-9a-f]+")


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What lies behind a gateway: its id, and the ranges by name."""

    gateway: str
    cidrs: Mapping[str, str]

    def __post_init__(self) -> None:
        if not GATEWAY_ID.fullmatch(self.gateway):
            raise ValueError(f"gateway must be the id of a transit gateway or peering connection, got {self.gateway!r}")
        if not self.cidrs:
            raise ValueError(f"cidrs of {self.gateway} must name a range: a way to nowhere has no use")
        check_unique(f"cidrs of {self.gateway}", tuple(self.cidrs))
        for cidr in self.cidrs.values():
            ipaddress.IPv4Network(cidr)

    @property
    def is_peering(self) -> bool:
        return self.gateway.startswith("pcx-")


@dataclass(frozen=True, kw_only=True)
class ConnectionArgs:
    """`subnet_ids` are one per zone, for the interfaces of a transit gateway; `setting` is what names the gateway.

    `route_table_id` is of the subnets that are reached from there.
    """

    outside: Outside
    setting: str
    vpc_id: pulumi.Input[str]
    subnet_ids: tuple[pulumi.Input[str], ...]
    route_table_id: pulumi.Input[str]


class Connection(pulumi.ComponentResource):
    def __init__(self, name: str, args: ConnectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Connection", name, {}, opts)
        outside = args.outside
        hooks = gateway_hooks(Gateway(id=outside.gateway, setting=args.setting), self)
        target: dict[str, pulumi.Input[str]] = {"vpc_peering_connection_id": outside.gateway}
        if not outside.is_peering:
            # EC2 knows no transit gateway in a route before the VPC is attached to it: the attachment's output waits.
            target = {"transit_gateway_id": self._attachment(name, args, hooks).transit_gateway_id}
        for title, cidr in outside.cidrs.items():
            aws.ec2.Route(
                f"{name}-to-{slug(title)}",
                route_table_id=args.route_table_id,
                destination_cidr_block=cidr,
                opts=pulumi.ResourceOptions(parent=self, hooks=hooks),
                **target,  # pyright: ignore[reportArgumentType]
            )
        self.register_outputs({})

    def _attachment(
        self, name: str, args: ConnectionArgs, hooks: pulumi.ResourceHookBinding
    ) -> aws.ec2transitgateway.VpcAttachment:
        """Which of the gateway's own route tables it uses is its owner's to say: for a shared one nobody else may."""
        return aws.ec2transitgateway.VpcAttachment(
            f"{name}-attachment",
            transit_gateway_id=args.outside.gateway,
            vpc_id=args.vpc_id,
            subnet_ids=list(args.subnet_ids),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks),
        )
