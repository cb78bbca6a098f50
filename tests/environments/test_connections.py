"""Connections to other networks with the real engine: a missing gateway ends a preview; an existing one is used."""

from __future__ import annotations

import textwrap

import pytest

from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import Program

pytestmark = pytest.mark.timeout(600)
SHARED, NOBODYS = "tgw-0123456789abcdef0", "tgw-0fedcba9876543210"
ATTACHMENT, ROUTE = "aws:ec2transitgateway/vpcAttachment:VpcAttachment", "aws:ec2/route:Route"
SOURCE = f"""
    import sys
    sys.path.insert(0, {str(PROJECT)!r})
    from components.network.connections import Connection, ConnectionArgs
    from components.network.spec import ConnectionSpec

    vpc = aws.ec2.Vpc("main", cidr_block="10.30.0.0/16", opts=options)
    subnets = [
        aws.ec2.Subnet(zone, vpc_id=vpc.id, cidr_block=cidr, availability_zone=f"us-east-1{{zone}}", opts=options)
        for zone, cidr in (("a", "10.30.0.0/24"), ("b", "10.30.1.0/24"))
    ]
    table = aws.ec2.RouteTable("intra", vpc_id=vpc.id, opts=options)
    pulumi.export("vpc", vpc.id)
"""
CONNECTION = """
    Connection(
        "to-corporate",
        ConnectionArgs(
            spec=ConnectionSpec(gateway="{gateway}", cidrs={{"vpn": "10.200.0.0/16"}}),
            setting="network.connections.corporate.gateway",
            vpc_id=vpc.id,
            subnet_ids=tuple(each.id for each in subnets),
            route_table_id=table.id,
        ),
        options,
    )
"""


def write(program: Program, gateway: str = "") -> None:
    source = textwrap.dedent(SOURCE)
    program.write(source + (textwrap.dedent(CONNECTION).format(gateway=gateway) if gateway else ""))


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_gateway_that_is_not_there_ends_with_the_setting_and_the_way_to_mend_it(
    program: Program, command: str
) -> None:
    write(program, NOBODYS)
    said = program.preview(ok=False) if command == "preview" else program.up(ok=False)
    assert f"network.connections.corporate.gateway: got '{NOBODYS}'; there is no such transit gateway" in said
    assert "write the id of yours" in said
    assert "Traceback" not in said
    assert program.resources(ATTACHMENT) + program.resources(ROUTE) == []


def test_a_shared_gateway_is_attached_and_routed_to_and_goes_again(program: Program) -> None:
    write(program, SHARED)
    assert "to create" in program.preview()
    program.up()
    assert program.only(ROUTE)["outputs"]["state"] == "active"
    assert program.only(ATTACHMENT)["outputs"]["transitGatewayId"] == SHARED
    program.preview("--expect-no-changes", "--refresh")
    write(program)
    program.up()
    assert program.resources(ATTACHMENT) + program.resources(ROUTE) == []


def test_a_peering_connection_is_used_once_its_other_side_has_accepted(program: Program) -> None:
    write(program)
    program.up()
    ec2 = program.box.client("ec2")
    mine = program.only("aws:ec2/vpc:Vpc")["id"]
    theirs = ec2.create_vpc(CidrBlock="10.200.0.0/16")["Vpc"]["VpcId"]
    try:
        made = ec2.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs)["VpcPeeringConnection"]
        id = made["VpcPeeringConnectionId"]
        write(program, id)
        said = program.preview(ok=False)
        assert f"got '{id}', which is pending-acceptance: let the owner of the other VPC accept it" in said
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
        program.up()
        assert program.only(ROUTE)["outputs"]["vpcPeeringConnectionId"] == id
        program.preview("--expect-no-changes", "--refresh")
    finally:
        write(program)
        program.up()
        ec2.delete_vpc(VpcId=theirs)
