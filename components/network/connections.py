"""Connection between the VPC and external networks: routes and, for a transit gateway, the attachment.

Clients in these networks reach addresses in the intra subnets, such as the interfaces of the Kubernetes API, as far as
security groups allow. Nodes and pods need no connection there: their subnets get no route.
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.network.gateway_presence import Gateway, gateway_hooks
from components.network.spec import ConnectionSpec


@dataclass(frozen=True, kw_only=True)
class ConnectionArgs:
    """Arguments of a connection.

    `subnet_ids` has one subnet per zone, for the interfaces of a transit gateway. `setting` is the path of the setting
    that names the gateway. `route_table_id` is the route table of the subnets that external clients reach.
    """

    spec: ConnectionSpec
    setting: str
    vpc_id: pulumi.Input[str]
    subnet_ids: tuple[pulumi.Input[str], ...]
    route_table_id: pulumi.Input[str]


class Connection(pulumi.ComponentResource):
    def __init__(self, name: str, args: ConnectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Connection", name, {}, opts)
        spec = args.spec
        hooks = gateway_hooks(Gateway(id=spec.gateway, setting=args.setting), self)
        target: dict[str, pulumi.Input[str]] = {"vpc_peering_connection_id": spec.gateway}
        if not spec.is_peering:
            # EC2 rejects a transit gateway in a route until the VPC is attached to it; the attachment's output makes
            # routes wait.
            target = {"transit_gateway_id": self._attachment(name, args, hooks).transit_gateway_id}
        for title, cidr in spec.cidrs.items():
            aws.ec2.Route(
                f"{name}-to-{title}",
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
            transit_gateway_id=args.spec.gateway,
            vpc_id=args.vpc_id,
            subnet_ids=list(args.subnet_ids),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks),
        )
