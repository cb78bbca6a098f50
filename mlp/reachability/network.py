"""Network of a program as a model of reachability: subnets, route tables, security groups, endpoints.

Names are the program's names of resources, so that a finding names the resource to fix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

ANYWHERE = IPv4Network("0.0.0.0/0")
EVERYTHING = "-1"


@dataclass(frozen=True, kw_only=True)
class Route:
    """Route. `kind` is the type of its target, `target` the target's id."""

    destination: IPv4Network
    kind: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """Route table without the local routes; routes to gateway endpoints are part of the endpoints."""

    id: str
    name: str
    routes: tuple[Route, ...]

    def way_to(self, network: IPv4Network) -> Route | None:
        """Return the most specific route that covers the whole network, None if there is none."""
        covering = [each for each in self.routes if network.subnet_of(each.destination)]
        return max(covering, key=lambda each: each.destination.prefixlen, default=None)


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """Subnet. `table` is None without an association: the VPC's main table has only local routes."""

    id: str
    name: str
    cidr: IPv4Network
    zone: str
    table: Table | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Rule for traffic with a range or with the members of a group, for the ports `first` to `last`."""

    protocol: str
    first: int
    last: int
    network: IPv4Network | None = None
    group: str | None = None

    def covers(self, protocol: str, port: int) -> bool:
        return self.protocol == EVERYTHING or (self.protocol == protocol and self.first <= port <= self.last)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Security group. It tracks connections, so responses need no rule."""

    id: str
    name: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """VPC endpoint. `service` has no region prefix, such as `ecr.api`."""

    name: str
    service: str
    is_interface: bool
    private_dns: bool
    subnets: frozenset[str]
    groups: tuple[str, ...]
    tables: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Member:
    """Participant with addresses in subnets and security groups: nodes of a pool, pods, the API, the database."""

    name: str
    subnets: tuple[Subnet, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """Network of a program.

    `attachments` maps transit gateways to the subnets of the VPC attachment, `nats` maps NAT gateways to their subnets.
    `public_ranges` may reach the public endpoint of the Kubernetes API. `own_pods` have their own security groups
    instead of those of `pods`.
    """

    subnets: Mapping[str, Subnet]
    groups: Mapping[str, Group]
    endpoints: Sequence[Endpoint]
    attachments: Mapping[str, tuple[Subnet, ...]]
    nats: Mapping[str, Subnet]
    internet_gateways: frozenset[str]
    api: Member
    public_ranges: tuple[str, ...]
    nodes: Sequence[Member]
    pods: Sequence[Member]
    own_pods: Sequence[Member]
    database: Member
    database_port: int
    resolves_names: bool
    unknown: tuple[str, ...]
