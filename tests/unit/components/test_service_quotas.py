"""EC2 quotas that an environment's nodes need: by AWS's documentation, and by the committed pools."""

from dataclasses import dataclass

import pytest

from components.instance_families import FAMILIES
from components.service_quotas import ON_DEMAND, SPOT, Need, needs, quota_of, shortage, stops

VCPUS = {"m7i.large": 2, "m7a.xlarge": 4, "g6.xlarge": 4, "g6.4xlarge": 16, "p5.48xlarge": 192}
G = ON_DEMAND["g"]


@dataclass(frozen=True)
class Nodes:
    instance_types: tuple[str, ...]
    min_size: int = 0
    max_size: int = 4
    capacity: str = "on_demand"


def needed(*pools: Nodes) -> dict[str, tuple[int, int]]:
    return {need.quota.code: (need.minimum, need.maximum) for need in needs(pools, VCPUS.__getitem__)}


@pytest.mark.parametrize(
    ("instance_type", "on_demand", "spot"),
    [
        ("m7i-flex.large", "L-1216C47A", "L-34B43A08"),
        ("t3.micro", "L-1216C47A", "L-34B43A08"),
        ("i4i.large", "L-1216C47A", "L-34B43A08"),
        ("g6e.xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("gr6.4xlarge", "L-DB2E81BA", "L-3819A6DF"),
        ("p4de.24xlarge", "L-417A185B", "L-7212CCBC"),
        ("p5en.48xlarge", "L-417A185B", "L-C4BD4855"),
        ("p6-b200.48xlarge", "L-417A185B", None),
        ("inf2.xlarge", "L-1945791B", "L-B5D1601B"),
        ("trn1n.32xlarge", "L-2C3B7624", "L-6B0D517C"),
    ],
)
def test_a_type_counts_against_the_quota_of_its_family(instance_type: str, on_demand: str, spot: str | None):
    found = quota_of(instance_type, "on_demand")
    assert found is not None
    assert found.code == on_demand
    spot_quota = quota_of(instance_type, "spot")
    assert (spot_quota.code if spot_quota else None) == spot
    assert quota_of(instance_type, "capacity_block") is None


def test_every_family_that_pools_may_use_has_a_quota():
    assert [name for name in FAMILIES if quota_of(f"{name}.large", "on_demand") is None] == []


def test_quotas_are_told_apart_by_their_codes():
    codes = {quota.code: quota.name for table in (ON_DEMAND, SPOT) for quota in table.values()}
    assert len(codes) == len(set(codes.values())) == 11


def test_pools_of_one_quota_are_added_up_at_their_minimum_and_their_maximum():
    pools = (
        Nodes(("m7i.large", "m7a.xlarge"), min_size=2, max_size=6),
        Nodes(("g6.xlarge", "g6.4xlarge"), min_size=1, max_size=3),
        Nodes(("g6.4xlarge",), max_size=2),
        Nodes(("g6.xlarge", "g6.4xlarge"), min_size=1, max_size=1, capacity="spot"),
        Nodes(("p5.48xlarge",), max_size=8, capacity="capacity_block"),
    )
    assert needed(*pools) == {"L-1216C47A": (4, 24), "L-DB2E81BA": (4, 80), "L-3819A6DF": (16, 16)}


def test_what_is_short_is_told_with_the_command_that_asks_for_all_of_it():
    need = Need(quota=G, minimum=8, maximum=256)
    said = shortage(need, 0, "eu-west-1")
    assert said is not None
    assert said.startswith(
        "Running On-Demand G and VT instances (L-DB2E81BA): the account may run 0 vCPUs, and its pools' min_size needs"
        " 8"
    )
    assert said.endswith(
        "aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-DB2E81BA "
        "--desired-value 256 --region eu-west-1"
    )
    assert stops(need, 0)


@pytest.mark.parametrize(
    ("granted", "said", "stopping"),
    [(7, "min_size needs 8", True), (8, "max_size needs 16", False), (16, None, False), (99.0, None, False)],
)
def test_the_minimum_stops_a_deployment_and_the_maximum_is_told(granted: float, said: str | None, stopping: bool):
    need = Need(quota=G, minimum=8, maximum=16)
    found = shortage(need, granted, "eu-west-1")
    assert (found is None) if said is None else (found is not None and said in found)
    assert stops(need, granted) is stopping
