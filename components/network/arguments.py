"""Arguments of the network, and the handle that it passes to the layers above."""

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
        """Return the zones with their address ranges, ordered by zone letter and not as in the settings."""
        return tuple(sorted(plan_subnets(self.cidr, self.pod_cidr, self.zones), key=lambda zone: zone.letter))

    def nat_zone(self, letter: str) -> str | None:
        """Return the letter of the zone with the NAT gateway for private subnets of zone `letter`; None without NAT."""
        if self.nat == "none":
            return None
        return letter if self.nat == "per_zone" else min(zone[-1] for zone in self.zones)


@dataclass(frozen=True, kw_only=True)
class NetworkHandle:
    """Properties of the network that other layers may use. Subnets are keyed by zone name, for zonal resources.

    `endpoint_ranges` are the subnet ranges of interface endpoints, empty if there are none. `intra_ranges` are the
    subnet ranges of the cluster's own network interfaces.
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
