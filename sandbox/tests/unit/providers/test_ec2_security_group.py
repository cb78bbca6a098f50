"""Security groups and the default group of a VPC through their lives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.ec2.security_group import HANDLERS, DefaultSecurityGroup, SecurityGroup
from sandbox.tests.unit.providers import network
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk

ANYWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """Start one account for all tests here: that takes moto a second. Each test has its own VPC."""
    with mock_aws():
        yield


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_a_group_changes_its_tags_in_place() -> None:
    fixed = {"name": "database", "description": "PostgreSQL", "vpcId": network.vpc()}
    assert Life(SecurityGroup()).lives({**fixed, "tags": {"a": "1", "b": "2"}}, {**fixed, "tags": {"b": "3"}}, fixed)


def test_a_new_group_lets_nothing_out() -> None:
    life = Life(SecurityGroup())
    id = life.create(name="closed", vpcId=network.vpc())
    found = network.ec2().describe_security_groups(GroupIds=[id])["SecurityGroups"][0]
    assert found["IpPermissionsEgress"] == []
    assert found["Description"] == "Managed by Pulumi"
    assert life.created == [id]


def test_groups_that_name_each_other_let_go_when_their_rules_are_revoked() -> None:
    vpc, life = network.vpc(), Life(SecurityGroup())
    first, second = life.create(name="first", vpcId=vpc), life.create(name="second", vpcId=vpc)
    for group, other in ((first, second), (second, first)):
        peers = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}]
        network.ec2().authorize_security_group_ingress(GroupId=group, IpPermissions=peers)
    life.delete(first, revokeRulesOnDelete=True)
    assert life.read(first) is None
    assert network.ec2().describe_security_groups(GroupIds=[second])["SecurityGroups"][0]["IpPermissions"] == []


def test_the_default_group_is_adopted_and_emptied() -> None:
    vpc = network.vpc()
    inputs = {"vpcId": vpc, "ingress": [], "egress": [], "tags": {"Name": "do-not-use"}}
    life = Life(DefaultSecurityGroup())
    id = life.create(**inputs)
    life.reads_back(id, inputs)
    live = life.live(id)
    assert (live["name"], live["ingress"], live["egress"]) == ("default", [], [])
    assert life.created == [id]


def test_a_rule_added_to_the_default_group_is_drift_and_goes_with_the_next_update() -> None:
    inputs = {"vpcId": network.vpc(), "ingress": [], "egress": []}
    life = Life(DefaultSecurityGroup())
    id = life.create(**inputs)
    network.ec2().authorize_security_group_ingress(GroupId=id, IpPermissions=[ANYWHERE])
    live = life.live(id, **inputs)
    assert live["ingress"][0]["cidrBlocks"] == ["0.0.0.0/0"]
    life.update(id, {**inputs, "ingress": live["ingress"]}, inputs)
    assert life.live(id)["ingress"] == []


def test_deleting_the_default_group_only_forgets_it() -> None:
    life = Life(DefaultSecurityGroup())
    id = life.create(vpcId=network.vpc())
    life.delete(id)
    assert life.live(id)["name"] == "default"


def test_the_default_group_of_a_vpc_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="vpc-0123 has no default security group"):
        Life(DefaultSecurityGroup()).create(vpcId="vpc-0123")


def test_inline_rules_are_refused_with_the_type_to_use_instead() -> None:
    problems = dict(SecurityGroup().check({"name": "x", "ingress": [], "egress": [{}], "description": ""}))
    assert "vpc.SecurityGroupIngressRule" in problems["ingress"]
    assert "vpc.SecurityGroupEgressRule" in problems["egress"]
    assert "description" in problems
    assert "ingress" in dict(DefaultSecurityGroup().check({"ingress": [{"protocol": "-1"}], "egress": []}))
