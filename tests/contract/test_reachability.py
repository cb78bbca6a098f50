"""Every connection that an environment needs is open: CI with the API, nodes and pods to AWS, DNS and the database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mlp.reachability.read import read
from mlp.reachability.ways import Finding, findings
from mlp.recording import Recorded, configuration, run_main
from stacks.settings import parse_settings
from tests.contract.network_holes import HOLES
from tests.contract.programs import PLATFORM, STACKS, Program, program

Resources = Sequence[Recorded]


def missing(resources: Resources, environment: Program) -> list[Finding]:
    return findings(read(resources), environment.settings.cluster.private_cidrs)


def test_every_way_of_an_environment_is_open(environment: Program):
    assert [str(each) for each in missing(environment.resources, environment)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_the_check_looks_at_all_that_there_is(stack: str):
    """An empty list would also have no findings."""
    environment = program(stack)
    network, settings = read(environment.resources), environment.settings
    zones = len(settings.network.zones)
    assert len(network.subnets) == 4 * zones
    assert [len(each.subnets) for each in network.pods] == [1] * zones
    assert [each.groups for each in network.own_pods] == [("platform-mlflow-pods-group-id",)] * zones
    assert {each.name for each in network.nodes} == {f"nodes of nodes-{pool}-group" for pool in settings.cluster.pools}
    assert {each.service for each in network.endpoints} == {"s3", *settings.network.interface_endpoints}
    assert len(network.nats) == {"none": 0, "single": 1, "per_zone": zones}[settings.network.nat]
    assert bool(network.public_ranges) == settings.cluster.public_access


@pytest.mark.parametrize("hole", HOLES)
def test_a_planted_hole_is_found_and_what_is_missing_is_said(hole: str):
    environment = program("prod")
    plant, way, words = HOLES[hole]
    resources = list(environment.resources)
    plant(resources)
    found = missing(resources, environment)
    assert any(way in each.way and words in each.missing for each in found), [str(each) for each in found]


def test_the_check_says_what_it_does_not_know():
    environment = program("dev")
    acl = replace(environment.resources[0], typ="aws:ec2/networkAcl:NetworkAcl", name="network-intra-acl")
    [found] = missing([*environment.resources, acl], environment)
    assert found.missing == "it does not know network ACLs, and the program makes network-intra-acl"


def test_a_private_api_without_callers_is_one_that_nobody_reaches():
    found = findings(read(program("prod").resources), {})
    assert [str(each) for each in found] == [
        "CI reaches the Kubernetes API: it is private, and no range outside the VPC may call it"
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"network": {"connections": {"ci": {"gateway": "pcx-0123456789abcdef0", "cidrs": {"vpn": "10.200.0.0/16"}}}}},
        {"network": {"connections": {}}, "cluster": {"public_access": True, "api_cidrs": ["203.0.113.0/24"]}},
    ],
    ids=["peering", "public"],
)
def test_prod_with_another_way_in_is_as_whole(change: dict[str, Any]):
    config = configuration("prod")
    for section, values in change.items():
        config[PLATFORM][section] |= values
    if "cluster" in change:
        del config[PLATFORM]["cluster"]["private_cidrs"]
    settings = parse_settings(config[PLATFORM], "prod")
    found = findings(read(run_main("prod", config).resources), settings.cluster.private_cidrs)
    assert [str(each) for each in found] == []
