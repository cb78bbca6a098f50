"""Addresses of a cluster's network."""

from pathlib import Path

import pytest

from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.clusters.network.network import choose_uplink, ensure, first_address
from mlp_sandbox.errors import SandboxError


def test_the_gateway_is_the_first_address_and_dns_the_tenth():
    assert first_address("10.10.0.0/16") == "10.10.0.1"
    assert first_address("172.20.0.0/16", 10) == "172.20.0.10"


def test_a_range_without_that_address_is_named():
    with pytest.raises(SandboxError, match=r"172\.20\.0\.0/29 has no address number 10"):
        first_address("172.20.0.0/29", 10)


def test_the_uplink_from_before_is_taken_again():
    assert choose_uplink(7, [], []) == 7


def test_an_uplink_that_somebody_has_is_not_taken():
    assert choose_uplink(1, ["mlp-up1"], []) == 2
    assert choose_uplink(None, ["eth0"], ["198.18.1.2"]) == 2
    assert choose_uplink(1, ["mlp-up2"], ["198.18.1.1", "192.0.2.2"]) == 3


def test_a_recorded_number_that_is_none_is_ignored():
    assert choose_uplink(999, [], []) == 1


def test_no_uplink_left_says_what_to_do():
    with pytest.raises(SandboxError, match="mlp sandbox down"):
        choose_uplink(None, [f"mlp-up{index}" for index in range(1, 255)], [])


def test_a_vpc_in_the_uplinks_range_is_refused(tmp_path: Path):
    with pytest.raises(SandboxError, match=r"VPC range 198\.18\.0\.0/16 overlaps"):
        ensure(ClusterFolder(tmp_path), "198.18.0.0/16")
