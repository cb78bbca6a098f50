"""Route tables, routes, associations, addresses and NAT gateways through their lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.ec2.nat import HANDLERS as NAT
from mlp_sandbox.providers.aws.services.ec2.nat import Eip, NatGateway
from mlp_sandbox.providers.aws.services.ec2.route import HANDLERS, Route, RouteTable, RouteTableAssociation
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers import network
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk

EVERYWHERE = "0.0.0.0/0"


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """Start one account for all tests here: that takes moto a second. Each test has its own VPC."""
    with mock_aws():
        yield


@pytest.mark.parametrize("handler", [*HANDLERS, *NAT], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_a_route_table_changes_its_tags_in_place() -> None:
    vpc = network.vpc()
    Life(RouteTable()).lives({"vpcId": vpc, "tags": {"Name": "private-a"}}, {"vpcId": vpc})


def test_a_route_table_lets_go_of_its_subnets_before_it_is_deleted() -> None:
    vpc = network.vpc()
    life, subnet = Life(RouteTable()), network.subnet(vpc)
    id = life.create(vpcId=vpc)
    network.ec2().associate_route_table(RouteTableId=id, SubnetId=subnet)
    life.delete(id)
    assert life.read(id) is None


def test_a_route_changes_its_target_in_place_and_its_id_is_the_official_one() -> None:
    vpc = network.vpc()
    table, gate, nat = network.route_table(vpc), network.internet_gateway(vpc), _nat(network.subnet(vpc))
    fixed = {"routeTableId": table, "destinationCidrBlock": EVERYWHERE}
    id = Life(Route()).lives({**fixed, "gatewayId": gate}, {**fixed, "natGatewayId": nat})
    # 1080289494 is what the official provider makes of 0.0.0.0/0
    assert id == f"r-{table}1080289494"


def test_a_route_is_imported_by_table_and_destination() -> None:
    vpc = network.vpc()
    table, gate = network.route_table(vpc), network.internet_gateway(vpc)
    life = Life(Route())
    life.create(routeTableId=table, destinationCidrBlock=EVERYWHERE, gatewayId=gate)
    assert life.live(f"{table}_{EVERYWHERE}")["gatewayId"] == gate
    assert life.read(f"{table}_10.9.0.0/16") is None


def test_a_route_to_an_endpoint_is_not_one_to_a_gateway() -> None:
    vpc = network.vpc()
    table = network.route_table(vpc)
    service = "com.amazonaws.us-east-1.s3"
    network.ec2().create_vpc_endpoint(VpcId=vpc, ServiceName=service, RouteTableIds=[table], VpcEndpointType="Gateway")
    routes = network.ec2().describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    prefix_list = next(route["DestinationPrefixListId"] for route in routes if "DestinationPrefixListId" in route)
    live = Life(Route()).live(f"{table}_{prefix_list}")
    assert live["vpcEndpointId"].startswith("vpce-")
    assert "gatewayId" not in live


def test_a_route_whose_table_is_gone_is_gone() -> None:
    vpc = network.vpc()
    table, gate = network.route_table(vpc), network.internet_gateway(vpc)
    life, inputs = Life(Route()), {"routeTableId": table, "destinationCidrBlock": EVERYWHERE, "gatewayId": gate}
    id = life.create(**inputs)
    network.ec2().delete_route(RouteTableId=table, DestinationCidrBlock=EVERYWHERE)
    network.ec2().delete_route_table(RouteTableId=table)
    assert life.read(id, **inputs) is None
    life.delete(id, **inputs)


def test_a_subnet_moves_to_another_route_table() -> None:
    vpc = network.vpc()
    subnet, first, second = network.subnet(vpc), network.route_table(vpc), network.route_table(vpc)
    life = Life(RouteTableAssociation())
    inputs = {"subnetId": subnet, "routeTableId": first}
    id = life.create(**inputs)
    life.reads_back(id, inputs)
    moved = {**inputs, "routeTableId": second}
    life.update(id, inputs, moved)
    # AWS gives a new id, the engine keeps the old one
    assert life.live(id, **moved)["routeTableId"] == second
    life.delete(id, **moved)
    assert life.read(id, **moved) is None
    life.delete(id, **moved)


def test_an_association_is_imported_by_subnet_and_table() -> None:
    vpc = network.vpc()
    subnet, table, other = network.subnet(vpc), network.route_table(vpc), network.route_table(vpc)
    life = Life(RouteTableAssociation())
    life.create(subnetId=subnet, routeTableId=table)
    assert life.live(f"{subnet}/{table}")["subnetId"] == subnet
    assert life.read(f"{subnet}/{other}") is None


def test_an_address_changes_its_tags_in_place() -> None:
    id = Life(Eip()).lives({"domain": "vpc", "tags": {"Name": "nat-a"}}, {"domain": "vpc"})
    assert id.startswith("eipalloc-")


def test_an_address_has_the_names_of_its_region() -> None:
    life = Life(Eip())
    live = life.live(life.create(domain="vpc"))
    dashed = live["publicIp"].replace(".", "-")
    assert live["publicDns"] == f"ec2-{dashed}.compute-1.amazonaws.com"
    assert live["arn"] == f"arn:aws:ec2:us-east-1:123456789012:elastic-ip/{live['allocationId']}"


def test_a_nat_gateway_changes_its_tags_in_place() -> None:
    subnet, address = network.subnet(network.vpc()), _address()
    fixed = {"subnetId": subnet, "allocationId": address, "connectivityType": "public"}
    id = Life(NatGateway()).lives({**fixed, "tags": {"Name": "a"}}, {"subnetId": subnet, "allocationId": address})
    assert id.startswith("nat-")


def test_a_nat_gateway_is_recorded_before_it_is_available() -> None:
    life = Life(NatGateway())
    id = life.create(subnetId=network.subnet(network.vpc()), allocationId=_address())
    assert life.created == [id]


def test_a_nat_gateway_in_a_subnet_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ClientError, match="InvalidSubnetID"):
        Life(NatGateway()).create(subnetId="subnet-00000000000000000", allocationId=_address())


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    assert "ec2.Route" in dict(RouteTable().check({"vpcId": "vpc-1", "routes": []}))["routes"]
    both = {"routeTableId": "rtb-1", "gatewayId": "igw-1", "natGatewayId": "nat-1"}
    problems = dict(Route().check(both))
    assert "none is given" in problems["destinationCidrBlock"]
    assert "gatewayId and natGatewayId are given" in problems["gatewayId"]
    assert "give one of" in dict(RouteTableAssociation().check({"routeTableId": "rtb-1"}))["subnetId"]
    assert "needs the allocationId" in dict(NatGateway().check({"subnetId": "subnet-1"}))["allocationId"]
    assert "zonal" in dict(NatGateway().check({"availabilityMode": "regional"}))["availabilityMode"]
    assert "leave it out" in dict(Eip().check({"ipamPoolId": "pool"}))["ipamPoolId"]


def test_values_that_are_not_known_yet_pass() -> None:
    unknown = {"routeTableId": UNKNOWN, "destinationCidrBlock": EVERYWHERE, "natGatewayId": UNKNOWN}
    assert Route().check(unknown) == []
    assert NatGateway().check({"subnetId": UNKNOWN, "allocationId": UNKNOWN}) == []
    assert RouteTableAssociation().check({"subnetId": UNKNOWN, "routeTableId": UNKNOWN}) == []


def _address() -> str:
    return str(network.ec2().allocate_address(Domain="vpc")["AllocationId"])


def _nat(subnet: str) -> str:
    reply = network.ec2().create_nat_gateway(SubnetId=subnet, AllocationId=_address())
    return str(reply["NatGateway"]["NatGatewayId"])
