"""Connection between the VPC and external networks: routes and, for a transit gateway, the attachment.

Clients in these networks reach addresses in the intra subnets, such as the interfaces of the Kubernetes API, as far as
security groups allow. Nodes and pods need no connection there: their subnets get no route.
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
    """External network behind a gateway: the gateway's id, and address ranges by name."""

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
    """Arguments of a connection.

    `subnet_ids` has one subnet per zone, for the interfaces of a transit gateway. `setting` is the path of the setting
    that names the gateway. `route_table_id` is the route table of the subnets that external clients reach.
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
            # EC2 rejects a transit gateway in a route until the VPC is attached to it; the attachment's output makes
            # routes wait.
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
        """Attach the VPC to the transit gateway.

        The gateway's owner decides which of its route tables the attachment uses: nobody else may change a shared
        gateway.
        """
        return aws.ec2transitgateway.VpcAttachment(
            f"{name}-attachment",
            transit_gateway_id=args.outside.gateway,
            vpc_id=args.vpc_id,
            subnet_ids=list(args.subnet_ids),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks),
        )
