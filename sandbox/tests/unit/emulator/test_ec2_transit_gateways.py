"""EC2's connections of a VPC to other networks: attachments that take time, and rejected routes."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.emulator.services.ec2.transit_gateways import OWNER_OF_SHARED
from mlp_sandbox.shared_gateways import SHARED_GATEWAYS
from sandbox.tests.unit.emulator.emulated import Emulated

SHARED_GATEWAY = SHARED_GATEWAYS[0]


@pytest.fixture
def ec2(emulated: Emulated) -> Any:
    return emulated.client("ec2")


def vpc_of(ec2: Any, cidr: str = "10.30.0.0/16") -> str:
    return str(ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


def subnet_of(ec2: Any, vpc: str, cidr: str = "10.30.1.0/24", zone: str = "a") -> str:
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"us-east-1{zone}")
    return str(made["Subnet"]["SubnetId"])


def table_of(ec2: Any, vpc: str) -> str:
    return str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])


def attach(ec2: Any, vpc: str, *subnets: str, gateway: str = SHARED_GATEWAY, **sent: Any) -> str:
    made = ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=vpc, SubnetIds=list(subnets), **sent
    )
    return str(made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"])


def attached(ec2: Any, id: str) -> dict[str, Any]:
    found = ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[id])
    return found["TransitGatewayVpcAttachments"][0]


def until(ec2: Any, id: str, state: str) -> list[str]:
    """Return the states that an attachment passes through until it reaches this one."""
    seen: list[str] = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        now = attached(ec2, id)["State"]
        if now not in seen:
            seen.append(now)
        if now == state:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{id} went through {seen} and never was {state}")


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call()
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_the_account_is_shared_gateways_of_another_account(ec2: Any):
    listed = ec2.describe_transit_gateways()["TransitGateways"]
    assert [each["TransitGatewayId"] for each in listed] == list(SHARED_GATEWAYS)
    [gateway] = ec2.describe_transit_gateways(TransitGatewayIds=[SHARED_GATEWAY])["TransitGateways"]
    assert (gateway["OwnerId"], gateway["State"]) == (OWNER_OF_SHARED, "available")
    assert gateway["TransitGatewayArn"].split(":")[4] == OWNER_OF_SHARED
    assert ec2.describe_transit_gateway_route_tables()["TransitGatewayRouteTables"] == [], "they are its owner's"
    assert refused(lambda: ec2.delete_transit_gateway(TransitGatewayId=SHARED_GATEWAY))[0] == "UnauthorizedOperation"


def test_a_gateway_that_nobody_shared_does_not_exist(ec2: Any):
    code, message = refused(lambda: ec2.describe_transit_gateways(TransitGatewayIds=["tgw-0fedcba9876543210"]))
    assert code == "InvalidTransitGatewayID.NotFound"
    assert "tgw-0fedcba9876543210 was deleted or does not exist" in message
    vpc = vpc_of(ec2)
    wrong = refused(lambda: attach(ec2, vpc, subnet_of(ec2, vpc), gateway="tgw-0fedcba9876543210"))
    assert wrong[0] == "InvalidTransitGatewayID.NotFound"


def test_an_attachment_is_pending_then_available_then_deleted_and_keeps_its_tags_to_itself(ec2: Any):
    vpc = vpc_of(ec2)
    tags = [{"ResourceType": "transit-gateway-attachment", "Tags": [{"Key": "Name", "Value": "corporate"}]}]
    id = attach(ec2, vpc, subnet_of(ec2, vpc), TagSpecifications=tags)
    assert until(ec2, id, "available") == ["pending", "available"]
    assert attached(ec2, id)["Tags"] == [{"Key": "Name", "Value": "corporate"}]
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id)
    assert until(ec2, id, "deleted") == ["deleting", "deleted"]
    gone = refused(lambda: ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id))
    assert gone[0] == "InvalidTransitGatewayAttachmentID.NotFound"


def test_a_pending_attachment_is_not_changed(ec2: Any):
    vpc = vpc_of(ec2)
    id = attach(ec2, vpc, subnet_of(ec2, vpc))
    assert refused(lambda: ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id))[0] == (
        "IncorrectState"
    )


def test_a_vpc_is_attached_to_a_gateway_once_and_in_one_subnet_of_a_zone(ec2: Any):
    vpc = vpc_of(ec2)
    first, second = subnet_of(ec2, vpc), subnet_of(ec2, vpc, "10.30.2.0/24")
    assert refused(lambda: attach(ec2, vpc, first, second))[0] == "DuplicateSubnetsInSameZone"
    assert refused(lambda: attach(ec2, vpc, "subnet-0123456789abcdef0"))[0] == "InvalidSubnetID.NotFound"
    other = vpc_of(ec2, "10.31.0.0/16")
    theirs = subnet_of(ec2, other, "10.31.1.0/24")
    assert refused(lambda: attach(ec2, vpc, theirs))[0] == "InvalidSubnetID.NotFound"
    attach(ec2, vpc, first)
    assert refused(lambda: attach(ec2, vpc, second)) == (
        "DuplicateTransitGatewayAttachment",
        f"{SHARED_GATEWAY} has non-deleted Transit Gateway Attachments with same VPC ID.",
    )


def test_its_interfaces_hold_subnets_until_it_is_gone(ec2: Any):
    vpc = vpc_of(ec2)
    subnet = subnet_of(ec2, vpc)
    id = attach(ec2, vpc, subnet)
    until(ec2, id, "available")
    assert refused(lambda: ec2.delete_subnet(SubnetId=subnet))[0] == "DependencyViolation"
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id)
    until(ec2, id, "deleted")
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)


def test_a_zone_more_is_a_subnet_more(ec2: Any):
    vpc = vpc_of(ec2)
    first, second = subnet_of(ec2, vpc), subnet_of(ec2, vpc, "10.30.2.0/24", "b")
    id = attach(ec2, vpc, first)
    until(ec2, id, "available")
    ec2.modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id, AddSubnetIds=[second])
    assert until(ec2, id, "available") == ["modifying", "available"]
    assert attached(ec2, id)["SubnetIds"] == [first, second]


def route(ec2: Any, table: str, cidr: str, **target: str) -> Any:
    return ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, **target)


def state_of(ec2: Any, table: str, cidr: str) -> str:
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return next(each["State"] for each in routes if each.get("DestinationCidrBlock") == cidr)


def test_a_route_knows_no_gateway_before_the_vpc_is_attached_to_it(ec2: Any):
    vpc = vpc_of(ec2)
    table, subnet = table_of(ec2, vpc), subnet_of(ec2, vpc)
    missing = (
        "InvalidTransitGatewayID.NotFound",
        f"The transitGateway ID '{SHARED_GATEWAY}' does not exist.",
    )
    assert refused(lambda: route(ec2, table, "10.200.0.0/16", TransitGatewayId=SHARED_GATEWAY)) == missing
    id = attach(ec2, vpc, subnet)
    assert refused(lambda: route(ec2, table, "10.200.0.0/16", TransitGatewayId=SHARED_GATEWAY)) == missing
    until(ec2, id, "available")
    route(ec2, table, "10.200.0.0/16", TransitGatewayId=SHARED_GATEWAY)
    assert state_of(ec2, table, "10.200.0.0/16") == "active"
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id)
    until(ec2, id, "deleted")
    assert state_of(ec2, table, "10.200.0.0/16") == "blackhole"


@pytest.mark.parametrize("cidr", ["10.30.0.0/16", "10.30.4.0/24", "100.64.9.0/24"])
def test_no_route_leads_out_of_the_vpc_to_its_own_ranges(ec2: Any, cidr: str):
    vpc = vpc_of(ec2)
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="100.64.0.0/16")
    table = table_of(ec2, vpc)
    until(ec2, attach(ec2, vpc, subnet_of(ec2, vpc)), "available")
    code, message = refused(lambda: route(ec2, table, cidr, TransitGatewayId=SHARED_GATEWAY))
    assert code == "InvalidParameterValue"
    assert f"The destination CIDR block {cidr} is equal to or more specific than one of this VPC's" in message


def test_no_route_leads_to_what_nodes_keep_for_themselves(ec2: Any):
    vpc = vpc_of(ec2)
    until(ec2, attach(ec2, vpc, subnet_of(ec2, vpc)), "available")
    wrong = refused(lambda: route(ec2, table_of(ec2, vpc), "169.254.170.0/24", TransitGatewayId=SHARED_GATEWAY))
    assert wrong[0] == "InvalidParameterValue"


def test_a_route_through_a_peering_leads_nowhere_until_its_other_side_accepts(ec2: Any):
    vpc, other, third = vpc_of(ec2), vpc_of(ec2, "10.31.0.0/16"), vpc_of(ec2, "10.32.0.0/16")
    table = table_of(ec2, vpc)
    unknown = "pcx-0123456789abcdef0"
    assert refused(lambda: route(ec2, table, "10.31.0.0/16", VpcPeeringConnectionId=unknown)) == (
        "InvalidVpcPeeringConnectionID.NotFound",
        f"The vpcPeeringConnection ID '{unknown}' does not exist",
    )
    peering = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=other)["VpcPeeringConnection"]
    id = peering["VpcPeeringConnectionId"]
    route(ec2, table, "10.31.0.0/16", VpcPeeringConnectionId=id)
    assert state_of(ec2, table, "10.31.0.0/16") == "blackhole"
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    assert state_of(ec2, table, "10.31.0.0/16") == "active"
    elsewhere = table_of(ec2, third)
    code, message = refused(lambda: route(ec2, elsewhere, "10.31.0.0/16", VpcPeeringConnectionId=id))
    assert (code, "belong to different networks" in message) == ("InvalidParameterValue", True)


def test_attachments_and_routes_come_back_with_a_restart(emulated: Emulated):
    ec2 = emulated.client("ec2")
    vpc = vpc_of(ec2)
    table, subnet = table_of(ec2, vpc), subnet_of(ec2, vpc)
    kept = attach(ec2, vpc, subnet)
    until(ec2, kept, "available")
    route(ec2, table, "10.200.0.0/16", TransitGatewayId=SHARED_GATEWAY)
    gone_vpc = vpc_of(ec2, "10.31.0.0/16")
    gone_subnet = subnet_of(ec2, gone_vpc, "10.31.1.0/24")
    gone = attach(ec2, gone_vpc, gone_subnet)
    until(ec2, gone, "available")
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=gone)
    until(ec2, gone, "deleted")
    ec2.delete_subnet(SubnetId=gone_subnet)
    before = attached(ec2, kept)
    ec2 = emulated.restart().client("ec2")
    assert attached(ec2, kept) == before
    assert state_of(ec2, table, "10.200.0.0/16") == "active"
