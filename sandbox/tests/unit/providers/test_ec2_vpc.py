"""VPCs, further address ranges, internet gateways and subnets through their lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.ec2._base import own_tags
from mlp_sandbox.providers.aws.services.ec2.subnet import HANDLERS as SUBNETS
from mlp_sandbox.providers.aws.services.ec2.subnet import Subnet
from mlp_sandbox.providers.aws.services.ec2.vpc import HANDLERS, InternetGateway, Vpc, VpcIpv4CidrBlockAssociation
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers import network
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk

VPC = {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "platform"}}


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """Start one account for all tests here: that takes moto a second. Each test has its own VPC."""
    with mock_aws():
        yield


@pytest.mark.parametrize("handler", [*HANDLERS, *SUBNETS], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_a_vpc_changes_its_dns_attributes_and_tags_in_place() -> None:
    plain = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": False, "enableNetworkAddressUsageMetrics": True}
    assert Life(Vpc()).lives(VPC, plain, VPC).startswith("vpc-")


def test_a_vpc_names_what_came_with_it() -> None:
    life = Life(Vpc())
    live = life.live(life.create(**VPC))
    assert live["defaultSecurityGroupId"].startswith("sg-")
    assert live["mainRouteTableId"].startswith("rtb-")
    assert live["defaultNetworkAclId"].startswith("acl-")
    assert live["arn"] == f"arn:aws:ec2:us-east-1:123456789012:vpc/{life.created[0]}"


def test_an_ipv6_range_comes_and_goes_in_place() -> None:
    dual = {"cidrBlock": "10.0.0.0/16", "assignGeneratedIpv6CidrBlock": True}
    life = Life(Vpc())
    id = life.create(**dual)
    assert life.live(id)["ipv6CidrBlock"].endswith("/56")
    life.update(id, dual, {"cidrBlock": "10.0.0.0/16"})
    assert life.live(id)["assignGeneratedIpv6CidrBlock"] is False


def test_a_vpc_in_use_is_not_deleted_and_aws_says_why() -> None:
    life = Life(Vpc())
    id = life.create(**VPC)
    network.subnet(id)
    with pytest.raises(ClientError, match="DependencyViolation"):
        life.delete(id)


def test_a_vpc_that_aws_refuses_is_not_recorded() -> None:
    life = Life(Vpc())
    with pytest.raises(ClientError, match="InvalidVpc"):
        life.create(cidrBlock="10.0.0.0/8")
    assert life.created == []


def test_a_tag_set_by_hand_is_drift() -> None:
    life = Life(Vpc())
    id = life.create(**VPC)
    network.ec2().create_tags(Resources=[id], Tags=[{"Key": "owner", "Value": "x"}])
    assert life.live(id)["tags"] == {"Name": "platform", "owner": "x"}


def test_tags_that_aws_sets_itself_are_not_read() -> None:
    live = {"Tags": [{"Key": "aws:eks:cluster-name", "Value": "x"}, {"Key": "team", "Value": "ml"}]}
    assert own_tags(live) == {"team": "ml"}


def test_an_address_range_joins_and_leaves_a_vpc() -> None:
    vpc = network.vpc()
    id = Life(VpcIpv4CidrBlockAssociation()).lives({"vpcId": vpc, "cidrBlock": "100.64.0.0/16"})
    assert id.startswith("vpc-cidr-assoc-")


def test_an_internet_gateway_moves_to_another_vpc() -> None:
    first, second = network.vpc(), network.vpc("10.1.0.0/16")
    Life(InternetGateway()).lives({"vpcId": first, "tags": {"Name": "gate"}}, {"vpcId": second})


def test_an_internet_gateway_detached_by_hand_is_drift() -> None:
    vpc, life = network.vpc(), Life(InternetGateway())
    id = life.create(vpcId=vpc)
    network.ec2().detach_internet_gateway(InternetGatewayId=id, VpcId=vpc)
    assert "vpcId" not in life.live(id, vpcId=vpc)
    life.delete(id, vpcId=vpc)
    assert life.read(id) is None


def test_a_subnet_changes_what_it_gives_instances_in_place() -> None:
    fixed = {"vpcId": network.vpc(), "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1b"}
    public = {**fixed, "mapPublicIpOnLaunch": True, "tags": {"Name": "public-a"}}
    named = {**fixed, "enableResourceNameDnsARecordOnLaunch": True, "enableDns64": True}
    # moto keeps neither; the emulator's extension does
    life = Life(Subnet(), unread={"enableDns64", "privateDnsHostnameTypeOnLaunch"})
    life.lives(public, {**named, "privateDnsHostnameTypeOnLaunch": "resource-name"}, fixed)


def test_a_subnet_that_overlaps_another_is_refused_by_aws() -> None:
    vpc = network.vpc()
    network.subnet(vpc)
    with pytest.raises(ClientError, match=r"InvalidSubnet\.Conflict"):
        Life(Subnet()).create(vpcId=vpc, cidrBlock="10.0.1.0/25")


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    problems = dict(Vpc().check({"instanceTenancy": "shared", "ipv4IpamPoolId": "ipam-pool-1"}))
    assert "give one of default, dedicated" in problems["instanceTenancy"]
    assert "give the range itself" in problems["ipv4IpamPoolId"]
    assert "missing" in problems["cidrBlock"]
    twice = {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "a", "availabilityZoneId": "b"}
    assert "give one of the two" in dict(Subnet().check(twice))["availabilityZoneId"]
    assert "set ipv6Native" in dict(Subnet().check({"vpcId": "vpc-1"}))["cidrBlock"]


def test_values_that_are_not_known_yet_pass() -> None:
    assert Subnet().check({"vpcId": UNKNOWN, "cidrBlock": UNKNOWN, "privateDnsHostnameTypeOnLaunch": UNKNOWN}) == []
    assert Vpc().check({"cidrBlock": UNKNOWN, "instanceTenancy": UNKNOWN}) == []
