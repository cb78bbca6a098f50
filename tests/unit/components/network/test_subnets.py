"""Subnet arithmetic holds its guarantees for every range size and every choice of zones."""

import ipaddress
import itertools

import pytest

from components.network.subnets import (
    SLOTS,
    SMALLEST_SUBNET_PREFIX,
    ZoneSubnets,
    check_pod_range,
    check_vpc_range,
    plan_subnets,
    usable_addresses,
)

VPCS = [f"10.64.0.0/{prefix}" for prefix in range(16, 23)]
ALL_ZONES = tuple(f"us-east-1{letter}" for letter in SLOTS)


def ranges(zone: ZoneSubnets) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(cidr) for cidr in (zone.private, zone.public, zone.intra)]


@pytest.mark.parametrize("vpc", VPCS)
def test_subnets_lie_in_the_vpc_and_never_overlap(vpc: str):
    every = [network for zone in plan_subnets(vpc, "100.64.0.0/16", ALL_ZONES) for network in ranges(zone)]
    assert all(network.subnet_of(ipaddress.IPv4Network(vpc)) for network in every)
    assert not [pair for pair in itertools.combinations(every, 2) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize("prefix", range(16, 23))
def test_pod_subnets_lie_in_the_pod_range_and_fill_it_together(prefix: int):
    pod_range = ipaddress.IPv4Network(f"100.64.0.0/{prefix}")
    pods = [ipaddress.IPv4Network(zone.pods) for zone in plan_subnets("10.0.0.0/16", str(pod_range), ALL_ZONES)]
    assert list(ipaddress.collapse_addresses(pods)) == [pod_range]
    assert sum(subnet.num_addresses for subnet in pods) == pod_range.num_addresses


@pytest.mark.parametrize("vpc", VPCS)
def test_no_subnet_is_smaller_than_aws_allows(vpc: str):
    for zone in plan_subnets(vpc, "100.64.0.0/22", ALL_ZONES):
        for network in [*ranges(zone), ipaddress.IPv4Network(zone.pods)]:
            assert network.prefixlen <= SMALLEST_SUBNET_PREFIX


@pytest.mark.parametrize("vpc", VPCS)
def test_nodes_get_half_of_their_zone(vpc: str):
    [zone] = plan_subnets(vpc, "100.64.0.0/16", ["us-east-1a"])
    assert ipaddress.IPv4Network(zone.private).num_addresses * 16 == ipaddress.IPv4Network(vpc).num_addresses


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_zone_keeps_its_subnets_whatever_other_zones_there_are(count: int):
    alone = {zone: plan_subnets("10.0.0.0/16", "100.64.0.0/16", [zone])[0] for zone in ALL_ZONES}
    for zones in itertools.permutations(ALL_ZONES[:4], count):
        assert plan_subnets("10.0.0.0/16", "100.64.0.0/16", zones) == tuple(alone[zone] for zone in zones)


def test_known_ranges_of_one_zone():
    [zone] = plan_subnets("10.10.0.0/16", "100.64.0.0/16", ["us-east-1b"])
    assert (zone.private, zone.public, zone.intra, zone.pods) == (
        *("10.10.32.0/20", "10.10.48.0/22", "10.10.52.0/22"),
        "100.64.32.0/19",
    )


def test_aws_keeps_five_addresses_of_each_subnet():
    assert usable_addresses("10.0.0.0/28") == 11


@pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.0.0.0/23", "11.0.0.0/16", "172.17.0.0/16", "10.0.0.7/16", "ten"])
def test_unsuitable_vpc_ranges_are_refused(cidr: str):
    with pytest.raises(ValueError, match=r"range|host bits|Expected 4 octets"):
        check_vpc_range(cidr)


@pytest.mark.parametrize("cidr", ["100.64.0.0/15", "100.64.0.0/23", "10.0.0.0/16", "100.128.0.0/16"])
def test_unsuitable_pod_ranges_are_refused(cidr: str):
    with pytest.raises(ValueError, match="write a range"):
        check_pod_range(cidr)
