"""Rules between settings, each tested at its boundary: just rejected and just accepted."""

import pytest

from stacks.settings import parse_settings
from tests.unit.stacks.examples import SOUND, SOURCE, refusal, spoiled


@pytest.mark.parametrize(
    ("zones", "available"), [(["eu-west-1a", "eu-west-1b"], 114), (SOUND["network"]["zones"], 171)]
)
def test_nodes_need_addresses_in_the_zones_that_there_are(zones: list[str], available: int):
    """A /22 leaves a /26 for each zone's nodes: 64 addresses, minus five of AWS and one for each of two endpoints."""
    small = [("network.cidr", "10.0.0.0/22"), ("network.zones", zones)]
    fits = [*small, ("cluster.general_pool.max_size", available - 2)]
    assert parse_settings(spoiled(*fits), SOURCE).cluster.max_nodes == available
    _, line = refusal(*small, ("cluster.general_pool.max_size", available - 1))
    assert 'network.cidr: got "10.0.0.0/22"; choose a larger range or smaller pools' in line
    assert f"in {len(zones)} zones have {available} addresses for {available + 1} nodes" in line


def test_nodes_are_never_ahead_of_the_cluster():
    _, line = refusal(("cluster.version", "1.35"), ("cluster.gpu_pools.l4.version", "1.36"))
    assert 'cluster.gpu_pools.l4.version: got "1.36"; write 1.35 or 1.34' in line
    behind = parse_settings(spoiled(("cluster.gpu_pools.l4.version", "1.35")), SOURCE)
    assert behind.cluster.gpu_pools["l4"].version == "1.35"


def test_spot_nodes_are_never_taken_from_a_reservation():
    _, line = refusal(
        ("cluster.gpu_pools.l4.capacity", "spot"),
        ("cluster.gpu_pools.l4.capacity_reservation", "cr-0123456789abcdef0"),
        ("cluster.gpu_pools.l4.zones", ["eu-west-1a"]),
    )
    assert "spot instances are never taken from a reservation" in line


def test_a_capacity_block_is_of_one_type_in_one_zone_and_was_bought_beforehand():
    pool: dict[str, object] = {
        "instance_types": ["p5.48xlarge"],
        "accelerator": "nvidia-h100",
        "max_size": 1,
        "capacity": "capacity_block",
    }
    _, line = refusal(("cluster.gpu_pools", {"h": pool}))
    assert "cluster.gpu_pools.h.capacity_reservation" in line
    assert "name the capacity block that you bought" in line
    sound = {**pool, "capacity_reservation": "cr-0123456789abcdef0", "zones": ["eu-west-1a"], "efa": True}
    assert parse_settings(spoiled(("cluster.gpu_pools", {"h": sound})), SOURCE).cluster.gpu_pools["h"].efa
    _, line = refusal(("cluster.gpu_pools", {"h": {**sound, "zones": []}}))
    assert "name one zone, a reservation lies in one" in line


@pytest.mark.parametrize(("pods", "nodes"), [(110, 11), (17, 31)])
def test_pods_need_addresses_for_as_many_nodes_as_there_may_be(pods: int, nodes: int):
    """A /20 leaves a /23 for each of three zones: 507 addresses, of which a node with 110 pods takes 128."""
    small = [("network.pod_cidr", "100.64.0.0/20"), ("cluster.pods_per_node", pods)]
    assert parse_settings(spoiled(*small, ("cluster.general_pool.max_size", nodes - 2)), SOURCE)
    _, line = refusal(*small, ("cluster.general_pool.max_size", nodes - 1))
    assert f"with {pods} pods each its subnets in 3 zones suffice for {nodes} of {nodes + 1} nodes" in line


def test_dev_may_be_open_and_cheap_where_prod_may_not():
    dev = [
        ("environment", "dev"),
        ("protect", False),
        ("network.nat", "single"),
        ("cluster.api_cidrs", ["0.0.0.0/0"]),
        ("buckets.force_destroy", True),
        ("database.multi_az", False),
        ("database.skip_final_snapshot", True),
        ("database.deletion_protection", False),
        ("secrets.recovery_window_days", 0),
    ]
    assert parse_settings(spoiled(*dev), SOURCE).database.skip_final_snapshot


def test_staging_is_not_open_to_everybody_either():
    _, line = refusal(("environment", "staging"), ("cluster.api_cidrs", ["0.0.0.0/0"]))
    assert "staging is not open to everybody" in line


def test_a_protected_environment_may_not_lose_its_data_by_another_switch():
    _, line = refusal(("environment", "dev"), ("buckets.force_destroy", True))
    assert "buckets.force_destroy: got true; write false, a protected environment keeps its data" in line


def test_private_nodes_are_content_with_the_endpoints_that_the_message_asks_for():
    closed = [("environment", "dev"), ("network.nat", "none")]
    _, line = refusal(*closed)
    asked = line.split("add ")[1].split(", ")
    endpoints = [*SOUND["network"]["interface_endpoints"], *asked]
    assert parse_settings(spoiled(*closed, ("network.interface_endpoints", endpoints)), SOURCE).network.nat == "none"


GATEWAY = "tgw-0123456789abcdef0"
CONNECTION = ("network.connections", {"corporate": {"gateway": GATEWAY, "cidrs": {"vpn": "10.200.0.0/16"}}})
PRIVATE = [("cluster.public_access", False), ("cluster.api_cidrs", [])]


def test_a_private_api_that_nobody_reaches_is_refused_with_both_ways_to_mend_it():
    _, line = refusal(*PRIVATE)
    assert "cluster.private_cidrs: got []; name a range of network.connections" in line
    assert "or set cluster.public_access: true and cluster.api_cidrs" in line


@pytest.mark.parametrize("caller", ["10.200.0.0/16", "10.200.4.0/24"])
def test_a_private_api_is_reached_from_ranges_that_a_connection_leads_to(caller: str):
    sound = parse_settings(spoiled(*PRIVATE, CONNECTION, ("cluster.private_cidrs", {"runners": caller})), SOURCE)
    assert sound.network.connections["corporate"].gateway == GATEWAY


@pytest.mark.parametrize("caller", ["10.201.0.0/16", "10.200.0.0/15"])
def test_a_caller_without_a_route_back_is_refused(caller: str):
    _, line = refusal(*PRIVATE, CONNECTION, ("cluster.private_cidrs", {"runners": caller}))
    assert f'cluster.private_cidrs.runners: got "{caller}"; add the range to network.connections' in line


@pytest.mark.parametrize(
    ("cidr", "field"),
    [
        ("10.0.128.0/17", "network.cidr 10.0.0.0/16"),
        ("100.64.0.0/12", "network.pod_cidr 100.64.0.0/16"),
        ("172.20.5.0/24", "network.service_cidr 172.20.0.0/16"),
        ("0.0.0.0/1", "network.cidr 10.0.0.0/16"),
        ("10.200.9.0/24", "network.connections.corporate.cidrs.vpn 10.200.0.0/16"),
    ],
)
def test_ranges_behind_a_connection_overlap_no_others(cidr: str, field: str):
    lines = refusal(CONNECTION, ("network.connections.corporate.cidrs.office", cidr))
    assert any(
        f'network.connections.corporate.cidrs.office: got "{cidr}"; choose a range apart from {field}' in line
        for line in lines
    )


def test_two_connections_overlap_neither():
    other = {"gateway": "pcx-0123456789abcdef0", "cidrs": {"runners": "10.200.0.0/20"}}
    _, line = refusal(CONNECTION, ("network.connections.ci", other))
    assert "network.connections.ci.cidrs.runners" in line
    assert "apart from network.connections.corporate.cidrs.vpn" in line


def test_a_vpc_is_attached_to_a_gateway_once():
    other = {"gateway": GATEWAY, "cidrs": {"runners": "10.201.0.0/16"}}
    _, line = refusal(CONNECTION, ("network.connections.ci", other))
    assert f'network.connections.ci.gateway: got "{GATEWAY}"; move its ranges to network.connections.corporate' in line


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("gateway", "vgw-0123456789abcdef0", "write the id of a transit gateway (tgw-0123456789abcdef0)"),
        ("gateway", "tgw-123", "write the id of a transit gateway"),
        ("cidrs", {}, "at least 1"),
        ("cidrs", {"vpn": "169.254.170.0/24"}, "a node's own services"),
        ("cidrs", {"vpn": "10.200.0.1/16"}, "write the start of the range: 10.200.0.0/16"),
        ("cidrs", {"VPN": "10.200.0.0/16"}, "write up to 20 lower-case letters"),
    ],
)
def test_wrong_connections_are_refused_by_field_value_and_fix(field: str, value: object, words: str):
    lines = refusal(CONNECTION, (f"network.connections.corporate.{field}", value))
    assert any(f"network.connections.corporate.{field}" in line and words in line for line in lines), lines
