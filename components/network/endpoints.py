"""VPC endpoints of AWS services: a gateway for S3 (free), and interfaces in the private subnets for others."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class EndpointsArgs:
    region: str
    vpc_id: pulumi.Input[str]
    route_table_ids: tuple[pulumi.Input[str], ...]
    subnet_ids: tuple[pulumi.Input[str], ...]
    clients: Mapping[str, str]  # name -> address range that may call the interfaces
    services: tuple[str, ...]


class Endpoints(pulumi.ComponentResource):
    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Endpoints", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=args.vpc_id,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(args.route_table_ids),
            tags={"Name": f"{name}-s3"},
            opts=child,
        )
        if args.services:
            group_id = self._security_group(name, args)
            for service in args.services:
                endpoint = f"{name}-{service.replace('.', '-')}"
                aws.ec2.VpcEndpoint(
                    endpoint,
                    vpc_id=args.vpc_id,
                    service_name=f"com.amazonaws.{args.region}.{service}",
                    vpc_endpoint_type="Interface",
                    subnet_ids=list(args.subnet_ids),
                    security_group_ids=[group_id],
                    private_dns_enabled=True,
                    tags={"Name": endpoint},
                    opts=child,
                )
        self.register_outputs({})

    def _security_group(self, name: str, args: EndpointsArgs) -> pulumi.Output[str]:
        """Create the security group: HTTPS from the VPC's own ranges.

        No egress, because endpoints open no connections.
        """
        child = pulumi.ResourceOptions(parent=self)
        group = aws.ec2.SecurityGroup(
            f"{name}-callers",
            description="Interface endpoints: HTTPS from inside the VPC",
            vpc_id=args.vpc_id,
            tags={"Name": name},
            opts=child,
        )
        for client, cidr in args.clients.items():
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-from-{client}",
                security_group_id=group.id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                description=f"HTTPS from {client}",
                tags={"Name": f"{name}-from-{client}"},
                opts=child,
            )
        return group.id
