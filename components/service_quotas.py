"""EC2 quotas that limit nodes: virtual processors of running instances, by family and purchase option. Pure.

A new account may run no instances with accelerators, so the first deployment of such nodes waits for a quota increase.
https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

SOURCE = "https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html"
SERVICE = "ec2"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Service quota. `default` is the limit of a new account in virtual processors."""

    code: str
    name: str
    default: int = 0


@dataclass(frozen=True, kw_only=True)
class Need:
    """Virtual processors that all pools together use of one quota, at their minimum and at their maximum size."""

    quota: Quota
    minimum: int
    maximum: int


class Pool(Protocol):
    """Properties of a node pool that the quotas depend on."""

    @property
    def instance_types(self) -> tuple[str, ...]: ...
    @property
    def capacity(self) -> str: ...
    @property
    def min_size(self) -> int: ...
    @property
    def max_size(self) -> int: ...


_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
# Keyed by the letters that a family's name begins with, and by the generation if it matters.
ON_DEMAND: Mapping[str, Quota] = {
    **{
        letter: Quota(code="L-1216C47A", name=f"Running On-Demand {_STANDARD} instances", default=5)
        for letter in "acdhimrtz"
    },
    **{kind: Quota(code="L-DB2E81BA", name="Running On-Demand G and VT instances") for kind in ("g", "gr", "vt")},
    "p": Quota(code="L-417A185B", name="Running On-Demand P instances"),
    "inf": Quota(code="L-1945791B", name="Running On-Demand Inf instances"),
    "trn": Quota(code="L-2C3B7624", name="Running On-Demand Trn instances"),
}
SPOT: Mapping[str, Quota] = {
    **{
        letter: Quota(code="L-34B43A08", name=f"All {_STANDARD} Spot Instance Requests", default=5)
        for letter in "acdhimrtz"
    },
    **{kind: Quota(code="L-3819A6DF", name="All G and VT Spot Instance Requests") for kind in ("g", "gr", "vt")},
    **{kind: Quota(code="L-7212CCBC", name="All P4, P3 and P2 Spot Instance Requests") for kind in ("p2", "p3", "p4")},
    # AWS's page names no Spot quota for P6.
    "p5": Quota(code="L-C4BD4855", name="All P5 Spot Instance Requests"),
    "inf": Quota(code="L-B5D1601B", name="All Inf Spot Instance Requests"),
    "trn": Quota(code="L-6B0D517C", name="All Trn Spot Instance Requests"),
}


def quota_of(instance_type: str, capacity: str) -> Quota | None:
    """Return the quota that instances of a type count against; None if AWS's page names none.

    Args:
        instance_type: instance type, such as g6.xlarge.
        capacity: on_demand, spot or capacity_block. Capacity Blocks count against no quota of running instances.
            https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-blocks.html
    """
    if capacity == "capacity_block":
        return None
    table = SPOT if capacity == "spot" else ON_DEMAND
    family = instance_type.partition(".")[0]
    # Letters, and also the generation's digit if a table distinguishes generations: p5 for p5en.
    named = re.match(r"([a-z]+)\d?", family)
    names = (named[0], named[1]) if named else ()
    return next((table[name] for name in names if name in table), None)


def needs(pools: Iterable[Pool], vcpus: Callable[[str], int]) -> tuple[Need, ...]:
    """Return the virtual processors that pools need of each quota, sorted by quota name.

    At minimum size, On-Demand nodes use the first type, which AWS tries first. Spot nodes, and all nodes at maximum
    size, may use the largest type. Nodes that are added during an update of a pool are not counted.

    Args:
        pools: pools of one environment.
        vcpus: function that returns the default number of virtual processors of an instance type.
    """
    minimum: dict[Quota, int] = {}
    maximum: dict[Quota, int] = {}
    for pool in pools:
        sizes = [vcpus(name) for name in pool.instance_types]
        least = max(sizes) if pool.capacity == "spot" else sizes[0]
        quota = quota_of(pool.instance_types[0], pool.capacity)
        if quota is not None:
            minimum[quota] = minimum.get(quota, 0) + pool.min_size * least
            maximum[quota] = maximum.get(quota, 0) + pool.max_size * max(sizes)
    return tuple(
        Need(quota=quota, minimum=minimum[quota], maximum=maximum[quota])
        for quota in sorted(maximum, key=lambda quota: quota.name)
    )


def shortage(need: Need, granted: float, region: str) -> str | None:
    """Return a message about an insufficient quota with the command that requests an increase; None if it suffices.

    Args:
        need: need of one quota.
        granted: current limit of the account in the region, in virtual processors.
        region: region for the command.
    """
    if granted >= need.maximum:
        return None
    asks = (
        f"aws service-quotas request-service-quota-increase --service-code {SERVICE} --quota-code {need.quota.code} "
        f"--desired-value {need.maximum} --region {region}"
    )
    for wanted, what in ((need.minimum, "its pools' min_size"), (need.maximum, "its pools' max_size")):
        if granted < wanted:
            return (
                f"{need.quota.name} ({need.quota.code}): the account may run {granted:g} vCPUs, and {what} needs "
                f"{wanted}, beside what else runs there; ask for more: {asks}"
            )
    return None


def stops(need: Need, granted: float) -> bool:
    """Return whether the quota prevents even the minimum number of nodes from starting."""
    return granted < need.minimum
