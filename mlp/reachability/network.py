"""The network of a program in terms of who reaches whom: subnets, route tables, security groups, endpoints.

Names stand for what the program calls a resource, so that a finding names what is to be mended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

ANYWHERE = IPv4Network("0.0.0.0/0")
EVERYTHING = "-1"


@dataclass(frozen=True, kw_only=True)
class Route:
    """`kind` is what it leads to, `target` which one."""

    destination: IPv4Network
    kind: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """Routes beside the local ones; those to gateway endpoints are told by the endpoints."""

    id: str
    name: str
    routes: tuple[Route, ...]

    def way_to(self, network: IPv4Network) -> Route | None:
        """The most specific route that covers all of a network, None where none does."""
        covering = [each for each in self.routes if network.subnet_of(each.destination)]
        return max(covering, key=lambda each: each.destination.prefixlen, default=None)


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """`table` is None where no association says so: the VPC's main table has no route but the local ones."""

    id: str
    name: str
    cidr: IPv4Network
    zone: str
    table: Table | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Traffic with a range or with the members of a group. `first` to `last` are ports."""

    protocol: str
    first: int
    last: int
    network: IPv4Network | None = None
    group: str | None = None

    def covers(self, protocol: str, port: int) -> bool:
        return self.protocol == EVERYTHING or (self.protocol == protocol and self.first <= port <= self.last)


@dataclass(frozen=True, kw_only=True)
class Group:
    """A security group. It keeps the state of connections: answers need no rule."""

    id: str
    name: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A VPC endpoint; `service` without the region's prefix, such as `ecr.api`."""

    name: str
    service: str
    is_interface: bool
    private_dns: bool
    subnets: frozenset[str]
    groups: tuple[str, ...]
    tables: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Member:
    """Something with addresses in subnets and in security groups: nodes of a pool, pods, the API, the database."""

    name: str
    subnets: tuple[Subnet, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """`attachments` are transit gateways with the subnets that the VPC is attached in; `nats` NAT gateways with theirs.

    `public_ranges` are those that the public endpoint of the Kubernetes API is open to. `own_pods` have security groups
    of their own, instead of those of `pods`.
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
