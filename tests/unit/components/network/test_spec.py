"""The spec of the network refuses values that AWS or the subnet plan cannot use."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.network.spec import NetworkSpec
from tests.unit.spoiling import spoil
from validation.errors import explain

SOUND: dict[str, Any] = {
    "cidr": "10.10.0.0/16",
    "pod_cidr": "100.64.0.0/16",
    "service_cidr": "172.20.0.0/16",
    "zones": ["us-east-1a", "us-east-1b", "us-east-1c"],
    "nat": "per_zone",
}
TRANSIT = {"gateway": "tgw-0123456789abcdef0", "cidrs": {"vpn": "10.200.0.0/16"}}
PEERING = {"gateway": "pcx-0123456789abcdef0", "cidrs": {"ci": "10.202.0.0/16"}}


def spec(*changes: tuple[str, object]) -> NetworkSpec:
    return NetworkSpec.model_validate(spoil(SOUND, *changes))


def refusal(field: str, value: object) -> str:
    with pytest.raises(ValidationError) as refused:
        spec((field, value))
    return str(explain(refused.value, NetworkSpec, "network"))


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ([], "zones: got []; list at least 2"),
        (["us-east-1a", "us-east-1a"], "remove the repetition of us-east-1a"),
        (
            ["us-east-1a", "us-east-1b", "us-east-2a"],
            "name zones of one region: us-east-1a, us-east-2a end in the same letter",
        ),
        (["us-east-1a", "us-east-1z"], 'zones[1]: got "us-east-1z"; write an availability zone'),
        (["us-east-1a", ""], 'zones[1]: got ""; write an availability zone'),
    ],
    ids=str,
)
def test_zones_that_cannot_be_told_apart_are_refused(zones: list[str], message: str):
    assert message in refusal("zones", zones)


def test_an_endpoint_is_named_once():
    assert "remove the repetition of sts" in refusal("interface_endpoints", ["sts", "ecr.api", "sts"])


def test_names_of_connections_do_not_differ_in_case_only():
    assert "write up to 20 lower-case letters" in refusal("connections", {"ci": PEERING, "CI": TRANSIT})


@pytest.mark.parametrize("gateway", ["tgw-1", "pcx-0123456789", "tgw-0123456789ABCDEF0"])
def test_the_id_of_a_gateway_has_8_or_17_digits(gateway: str):
    assert "write the id of a transit gateway" in refusal("connections", {"ci": {**TRANSIT, "gateway": gateway}})


def test_a_peering_connection_is_told_from_a_transit_gateway():
    connections = spec(("connections", {"ci": PEERING, "corporate": TRANSIT})).connections
    assert {name: each.is_peering for name, each in connections.items()} == {"ci": True, "corporate": False}


def test_the_plan_is_in_the_order_of_zone_letters():
    plans = [spec(("zones", zones)).plan() for zones in (SOUND["zones"], SOUND["zones"][::-1])]
    assert plans[0] == plans[1]
    assert [zone.letter for zone in plans[0]] == ["a", "b", "c"]
