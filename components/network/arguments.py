"""What the network takes, and what it hands to the layers above."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import pulumi

from components.account import Account
from components.naming import check_unique
from components.network.connections import Outside
from components.network.subnets import ZoneSubnets, plan_subnets

Nat = Literal["none", "single", "per_zone"]


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    account: Account
    cidr: str
    pod_cidr: str
    zones: tuple[str, ...]
    logs_key_arn: pulumi.Input[str]
    nat: Nat = "per_zone"
    interface_endpoints: tuple[str, ...] = ()
    connections: Mapping[str, Outside] = field(default_factory=dict[str, Outside])
    flow_log_retention_days: int = 90

    def __post_init__(self) -> None:
        if self.nat not in get_args(Nat):
            raise ValueError(f"nat must be one of {', '.join(get_args(Nat))}, got {self.nat!r}")
        check_unique("interface_endpoints", self.interface_endpoints)
        check_unique("connections", tuple(self.connections))
        check_unique("gateways of connections", tuple(each.gateway for each in self.connections.values()))
        outside = [zone for zone in self.zones if zone[:-1] != self.account.region]
        if outside:
            raise ValueError(f"zones must be in region {self.account.region}, got {', '.join(outside)}")
        self.plan()

    def plan(self) -> tuple[ZoneSubnets, ...]:
        """The zones with their address ranges, in the order of their letters and not of the settings."""
        return tuple(sorted(plan_subnets(self.cidr, self.pod_cidr, self.zones), key=lambda zone: zone.letter))

    def nat_zone(self, letter: str) -> str | None:
        """Letter of the zone whose NAT gateway the private subnets of zone `letter` leave through."""
        if self.nat == "none":
            return None
        return letter if self.nat == "per_zone" else min(zone[-1] for zone in self.zones)


@dataclass(frozen=True, kw_only=True)
class NetworkHandle:
    """All that other layers may know of the network. Subnets are by zone name, for what is placed zone by zone.

    `endpoint_ranges` are where interface endpoints have their addresses, empty where there are none; `intra_ranges`
    where the cluster's own interfaces have theirs.
    """

    vpc_id: pulumi.Output[str]
    cidr: str
    pod_cidr: str
    endpoint_ranges: tuple[str, ...]
    intra_ranges: tuple[str, ...]
    public_subnets: Mapping[str, pulumi.Output[str]]
    private_subnets: Mapping[str, pulumi.Output[str]]
    intra_subnets: Mapping[str, pulumi.Output[str]]
    pod_subnets: Mapping[str, pulumi.Output[str]]
