"""Listen addresses of instances."""

import socket
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from mlp_sandbox.databases.postgres.addresses import (
    ADDRESS_POOL,
    candidates,
    choose_address,
    has_address,
    subnet_candidates,
    why_unusable,
)
from mlp_sandbox.databases.postgres.errors import DataPlaneError


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def test_an_instance_has_the_same_address_every_time_and_it_lies_in_the_pool():
    home = Path("/sandboxes/a")
    first = next(candidates(ADDRESS_POOL, home, "mlp-dev"))
    assert first == next(candidates(ADDRESS_POOL, home, "mlp-dev"))
    assert IPv4Address(first) in ADDRESS_POOL


def test_a_home_keeps_to_its_own_block_and_never_repeats_an_address():
    found = list(candidates(ADDRESS_POOL, Path("/sandboxes/a"), "mlp-dev"))
    assert len(set(found)) == len(found) == 254
    assert len({address.rsplit(".", 1)[0] for address in found}) == 1
    assert not {address for address in found if address.endswith((".0", ".255"))}


def test_homes_get_different_blocks():
    blocks = {next(candidates(ADDRESS_POOL, Path(f"/sandboxes/{name}"), "db")).rsplit(".", 1)[0] for name in "abcdefgh"}
    assert len(blocks) == 8


def test_addresses_of_other_instances_are_passed_over():
    home = Path("/sandboxes/a")
    first, second, *_ = candidates(ADDRESS_POOL, home, "db")
    port = _free_port(second)
    assert choose_address(ADDRESS_POOL, home, "db", port, {first}) == second


def test_an_address_on_which_the_port_is_taken_is_passed_over():
    home = Path("/sandboxes/a")
    first, second, *_ = candidates(ADDRESS_POOL, home, "db")
    with socket.create_server((first, 0)) as taken:
        port = taken.getsockname()[1]
        assert why_unusable(first, port) == f"{first}:{port} is taken by another process"
        assert choose_address(ADDRESS_POOL, home, "db", port, set()) == second


def test_a_port_taken_on_every_address_says_what_to_do():
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DataPlaneError, match=rf"end what listens on 0\.0\.0\.0:{port} or ask for another port"):
            choose_address(IPv4Network("127.99.0.0/29"), Path("/sandboxes/a"), "db", port, set())


def test_a_pool_that_is_not_on_this_machine_is_told():
    with pytest.raises(DataPlaneError, match="is not an address of this machine"):
        choose_address(IPv4Network("203.0.113.0/29"), Path("/sandboxes/a"), "db", 5432, set())


def test_a_pool_without_a_usable_address_is_told():
    with pytest.raises(DataPlaneError, match="too small"):
        next(candidates(IPv4Network("127.99.0.0/31"), Path("/sandboxes/a"), "db"))


SUBNET = IPv4Network("10.10.8.0/24")


def test_in_a_subnet_an_instance_has_the_same_address_first_every_time():
    home = Path("/sandboxes/a")
    assert next(subnet_candidates(SUBNET, home, "db")) == next(subnet_candidates(SUBNET, home, "db"))


def test_sandboxes_with_the_same_ranges_begin_at_different_addresses_of_a_subnet():
    firsts = {next(subnet_candidates(SUBNET, Path(f"/sandboxes/{name}"), "db")) for name in "abcdefgh"}
    assert len(firsts) > 4


@pytest.mark.parametrize(("subnet", "count"), [("10.10.8.0/24", 127), ("10.10.8.16/28", 7)])
def test_addresses_of_a_subnet_are_of_its_upper_half_and_never_its_last(subnet: str, count: int):
    network = IPv4Network(subnet)
    found = [IPv4Address(each) for each in subnet_candidates(network, Path("/sandboxes/a"), "db")]
    assert len(set(found)) == len(found) == count
    assert set(found) == set(list(network)[network.num_addresses // 2 : -1])


def test_a_subnet_that_aws_would_not_take_is_told():
    with pytest.raises(DataPlaneError, match=r"10\.10\.8\.0/30 is too small"):
        next(subnet_candidates(IPv4Network("10.10.8.0/30"), Path("/sandboxes/a"), "db"))


def test_an_address_that_this_machine_does_not_have_is_seen():
    assert has_address("127.64.9.9")
    assert not has_address("203.0.113.9")
