"""Networks for tests, created with boto3 and not with the handlers under test."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3


@cache
def ec2() -> Any:
    return boto3.client("ec2", region_name="us-east-1")


def vpc(cidr: str = "10.0.0.0/16", **arguments: Any) -> str:
    return str(ec2().create_vpc(CidrBlock=cidr, **arguments)["Vpc"]["VpcId"])


def subnet(vpc_id: str, cidr: str = "10.0.1.0/24", zone: str = "us-east-1a") -> str:
    reply = ec2().create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)
    return str(reply["Subnet"]["SubnetId"])


def group(vpc_id: str, name: str = "peers") -> str:
    return str(ec2().create_security_group(GroupName=name, Description="peers", VpcId=vpc_id)["GroupId"])


def route_table(vpc_id: str) -> str:
    return str(ec2().create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"])


def internet_gateway(vpc_id: str) -> str:
    client = ec2()
    id = str(client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    client.attach_internet_gateway(InternetGatewayId=id, VpcId=vpc_id)
    return id
