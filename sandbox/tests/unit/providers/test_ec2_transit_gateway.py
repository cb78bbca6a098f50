"""Attachments to transit gateways through their lives, and lookups of gateways and peering connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.ec2.route import Route
from mlp_sandbox.providers.aws.services.ec2.transit_gateway import HANDLERS, INVOKES, VpcAttachment
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.driver import assert_speaks_the_sdk
from sandbox.tests.unit.providers.emulated import Emulated, emulated

GATEWAY = "tgw-0123456789abcdef0"
GET_GATEWAY = INVOKES["aws:ec2transitgateway/getTransitGateway:getTransitGateway"]
GET_PEERING = INVOKES["aws:ec2/getVpcPeeringConnection:getVpcPeeringConnection"]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    folder: Path = tmp_path_factory.mktemp("account")
    with emulated(folder) as made:
        yield made


@pytest.fixture
def ground(account: Emulated) -> dict[str, Any]:
    """Create a VPC for this test with a subnet in each of two zones."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.30.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    return {"vpcId": vpc, "transitGatewayId": GATEWAY, "subnetIds": [each["SubnetId"] for each in subnets]}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_an_attachment_gets_subnets_options_and_tags_in_place(account: Emulated, ground: dict[str, Any]) -> None:
    fewer = {**ground, "subnetIds": ground["subnetIds"][:1]}
    account.life(VpcAttachment()).lives(
        {**fewer, "tags": {"Name": "corporate"}},
        {**ground, "dnsSupport": "disable"},
        {**ground, "applianceModeSupport": "enable", "tags": {"Name": "other"}},
    )


def test_an_attachment_is_usable_once_it_is_made_and_gone_once_it_is_deleted(
    account: Emulated, ground: dict[str, Any]
) -> None:
    ec2, life = account.client("ec2"), account.life(VpcAttachment())
    id = life.create(**ground)
    table = ec2.create_route_table(VpcId=ground["vpcId"])["RouteTable"]["RouteTableId"]
    through = {"routeTableId": table, "destinationCidrBlock": "10.200.0.0/16", "transitGatewayId": GATEWAY}
    route = account.life(Route()).create(**through)
    assert account.life(Route()).live(route, **through)["state"] == "active"
    account.life(Route()).delete(route, **through)
    life.delete(id, **ground)
    for subnet in ground["subnetIds"]:
        ec2.delete_subnet(SubnetId=subnet)


@pytest.mark.parametrize(
    ("inputs", "field", "words"),
    [
        ({"dnsSupport": "yes"}, "dnsSupport", "is 'yes': give one of disable, enable"),
        ({"subnetIds": []}, "subnetIds", "is empty: give one subnet of each zone"),
        ({"transitGatewayDefaultRouteTableAssociation": True}, "transitGatewayDefaultRouteTableAssociation", "owner"),
    ],
)
def test_what_aws_would_refuse_is_refused_in_a_preview(inputs: dict[str, Any], field: str, words: str) -> None:
    given = {"vpcId": UNKNOWN, "transitGatewayId": GATEWAY, "subnetIds": UNKNOWN, **inputs}
    [(name, reason)] = VpcAttachment().check(given)
    assert (name, words in reason) == (field, True)


def test_a_gateway_is_looked_up_by_its_id_and_missed_in_the_official_words(account: Emulated) -> None:
    aws = account.life(VpcAttachment()).aws
    assert GET_GATEWAY(aws, {"id": GATEWAY})["ownerId"] == "999999999999"
    with pytest.raises(ValueError, match="no matching EC2 Transit Gateway found"):
        GET_GATEWAY(aws, {"id": "tgw-0fedcba9876543210"})
    with pytest.raises(ValueError, match="give id alone"):
        GET_GATEWAY(aws, {"filters": [{"name": "state", "values": ["available"]}]})


def test_a_peering_connection_is_looked_up_with_its_status(account: Emulated) -> None:
    ec2, aws = account.client("ec2"), account.life(VpcAttachment()).aws
    ours, theirs = (ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.40.0.0/16", "10.41.0.0/16"))
    made = ec2.create_vpc_peering_connection(VpcId=ours, PeerVpcId=theirs)["VpcPeeringConnection"]
    id = made["VpcPeeringConnectionId"]
    assert GET_PEERING(aws, {"id": id})["status"] == "pending-acceptance"
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    assert GET_PEERING(aws, {"id": id})["status"] == "active"
    with pytest.raises(ValueError, match="no matching EC2 VPC Peering Connection found"):
        GET_PEERING(aws, {"id": "pcx-0fedcba9876543210"})
