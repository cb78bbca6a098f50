"""Rules of security groups through their lives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.provider import changed_inputs
from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.ec2.security_rule import (
    HANDLERS,
    SecurityGroupEgressRule,
    SecurityGroupIngressRule,
)
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers import network
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk

HTTPS: dict[str, Any] = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16"}


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """Start one account for all tests here: that takes moto a second. Each test has its own VPC."""
    with mock_aws():
        yield


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_a_rule_changes_ports_range_description_and_tags_in_place(handler: Handler) -> None:
    fixed = {"securityGroupId": network.group(network.vpc()), **HTTPS}
    first = {**fixed, "description": "from the VPC", "tags": {"Name": "https"}}
    second = {**fixed, "cidrIpv4": "10.1.0.0/16", "toPort": 444, "description": "from the peer"}
    assert Life(handler).lives(first, second, fixed).startswith("sgr-")


def test_a_rule_may_name_a_group() -> None:
    vpc = network.vpc()
    own, peer = network.group(vpc, "own"), network.group(vpc, "peer")
    rule = {"securityGroupId": own, "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}
    Life(SecurityGroupIngressRule()).lives({**rule, "referencedSecurityGroupId": peer})


def test_a_rule_for_everything_has_no_ports() -> None:
    # in moto a new group still has the rule that lets everything out to 0.0.0.0/0
    rule = {"securityGroupId": network.group(network.vpc()), "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/8"}
    Life(SecurityGroupEgressRule()).lives(rule)


def test_a_protocol_number_is_no_drift_from_its_name() -> None:
    life = Life(SecurityGroupIngressRule())
    inputs = {**HTTPS, "securityGroupId": network.group(network.vpc()), "ipProtocol": "TCP"}
    id = life.create(**{**inputs, "ipProtocol": "tcp"})
    assert life.live(id, **inputs)["ipProtocol"] == "TCP"


def test_the_same_rule_twice_is_refused_by_aws() -> None:
    life = Life(SecurityGroupIngressRule())
    inputs = {**HTTPS, "securityGroupId": network.group(network.vpc())}
    life.create(**inputs)
    with pytest.raises(ClientError, match=r"InvalidPermission\.Duplicate"):
        life.create(**inputs)


def test_an_egress_rule_is_not_imported_as_an_ingress_rule() -> None:
    id = Life(SecurityGroupEgressRule()).create(**HTTPS, securityGroupId=network.group(network.vpc()))
    assert Life(SecurityGroupIngressRule()).read(id) is None


def test_a_rule_goes_with_its_group() -> None:
    life, group = Life(SecurityGroupIngressRule()), network.group(network.vpc())
    id = life.create(**HTTPS, securityGroupId=group)
    network.ec2().delete_security_group(GroupId=group)
    assert life.read(id) is None
    life.delete(id, **HTTPS, securityGroupId=group)


def test_another_kind_of_peer_replaces_the_rule_and_another_range_does_not() -> None:
    rule = SecurityGroupIngressRule()
    ports = {name: value for name, value in HTTPS.items() if name != "cidrIpv4"}
    for peer in ("sg-1", UNKNOWN):
        changes = changed_inputs(rule, HTTPS, {}, {**ports, "referencedSecurityGroupId": peer, "toPort": 444})
        replacing = {name for name, change in changes.items() if change.replace}
        assert replacing == {"cidrIpv4", "referencedSecurityGroupId"}
    changes = changed_inputs(rule, HTTPS, {}, {**HTTPS, "cidrIpv4": "10.1.0.0/16"})
    assert [(name, change.replace) for name, change in changes.items()] == [("cidrIpv4", False)]


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    check = SecurityGroupIngressRule().check
    assert "none is given" in dict(check({"ipProtocol": "-1"}))["cidrIpv4"]
    assert "cidrIpv4 and prefixListId are given" in dict(check({**HTTPS, "prefixListId": "pl-1"}))["cidrIpv4"]
    assert "leave it out" in dict(check({**HTTPS, "ipProtocol": "-1"}))["fromPort"]
    assert "needs fromPort and toPort" in dict(check({"ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/8"}))["toPort"]
    assert "-1 to 65535" in dict(check({**HTTPS, "toPort": 70000}))["toPort"]


def test_values_that_are_not_known_yet_pass() -> None:
    assert SecurityGroupIngressRule().check({**HTTPS, "cidrIpv4": UNKNOWN, "securityGroupId": UNKNOWN}) == []
    ports = {"fromPort": UNKNOWN, "toPort": UNKNOWN, "ipProtocol": UNKNOWN}
    assert SecurityGroupIngressRule().check({**HTTPS, **ports}) == []
