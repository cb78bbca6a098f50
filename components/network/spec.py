"""Section `network` of a stack file: address ranges, zones, internet access and connections to external networks."""

import difflib
import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from components.log_retention import RetentionDays
from components.network.endpoint_services import ENDPOINT_SERVICES
from components.network.subnets import SLOTS, ZoneSubnets, check_pod_range, check_vpc_range, plan_subnets
from validation.base import Allowed, Problem, Section, network_range, refuse, unique
from validation.names import Name

# https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html (serviceIpv4Cidr)
SERVICE_RANGES = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
GATEWAY = re.compile(r"(tgw|pcx)-([0-9a-f]{8}|[0-9a-f]{17})")
# https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html: EC2 rejects routes to 169.254.168.0/22, and nodes
# use the rest of the range themselves (metadata, time, DNS, the Pod Identity agent).
LINK_LOCAL = ipaddress.IPv4Network("169.254.0.0/16")


def vpc_range(text: str) -> str:
    check_vpc_range(network_range(text))
    return text


def pod_range(text: str) -> str:
    check_pod_range(network_range(text))
    return text


def service_range(text: str) -> str:
    network = ipaddress.IPv4Network(network_range(text))
    if not 12 <= network.prefixlen <= 24 or not any(network.subnet_of(allowed) for allowed in SERVICE_RANGES):
        allowed = ", ".join(str(allowed) for allowed in SERVICE_RANGES)
        raise ValueError(f"write a range between /12 and /24 inside {allowed}")
    return text


def zone_name(text: str) -> str:
    if not re.fullmatch(rf"[a-z]{{2}}(-[a-z]+)+-\d[{SLOTS}]", text):
        raise ValueError("write an availability zone such as us-east-1a")
    return text


def letters_differ(zones: tuple[str, ...]) -> tuple[str, ...]:
    letters = [zone[-1] for zone in zones]
    repeated = [zone for zone in zones if letters.count(zone[-1]) > 1]
    if repeated:
        raise ValueError(
            f"name zones of one region: {', '.join(repeated)} end in the same letter, and would have the same subnets"
        )
    return zones


def endpoint_service(text: str) -> str:
    if text not in ENDPOINT_SERVICES:
        near = difflib.get_close_matches(text, ENDPOINT_SERVICES, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(ENDPOINT_SERVICES)}"
        raise ValueError(f"there is no such interface endpoint service, {hint}")
    return text


def gateway_id(text: str) -> str:
    if not GATEWAY.fullmatch(text):
        raise ValueError("write the id of a transit gateway (tgw-0123456789abcdef0) or peering connection (pcx-...)")
    return text


def outside_range(text: str) -> str:
    if ipaddress.IPv4Network(network_range(text)).overlaps(LINK_LOCAL):
        raise ValueError(f"write a range apart from {LINK_LOCAL}, which leads to a node's own services")
    return text


Zones = Annotated[
    tuple[Annotated[str, AfterValidator(zone_name), Allowed("zone name")], ...],
    Strict(False),
    AfterValidator(unique),
    AfterValidator(letters_differ),
]
Endpoints = Annotated[
    tuple[
        Annotated[
            str,
            AfterValidator(endpoint_service),
            Allowed("AWS service"),
            Field(json_schema_extra={"enum": [*ENDPOINT_SERVICES]}),
        ],
        ...,
    ],
    Strict(False),
    AfterValidator(unique),
]
Nat = Literal["none", "single", "per_zone"]
OutsideRange = Annotated[str, AfterValidator(outside_range)]


class ConnectionSpec(Section):
    gateway: Annotated[str, AfterValidator(gateway_id), Allowed("id of a transit gateway or peering connection")]
    """Existing gateway of the connection. For a transit gateway, the program creates the VPC attachment, which AWS
    bills by the hour. For a peering connection, it creates only the routes.
    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html"""
    cidrs: Annotated[dict[Name, OutsideRange], Allowed("names to IPv4 ranges")] = Field(min_length=1)
    """Ranges behind the gateway, by name; `cluster.private_cidrs` selects those that may call the Kubernetes API."""

    @property
    def is_peering(self) -> bool:
        return self.gateway.startswith("pcx-")


class NetworkSpec(Section):
    cidr: Annotated[str, AfterValidator(vpc_range), Allowed("private IPv4 range, /16 to /22")]
    """Range of the VPC. Each zone letter owns one eighth, so adding a zone does not move the others."""
    pod_cidr: Annotated[str, AfterValidator(pod_range), Allowed("IPv4 range inside 100.64.0.0/10, /16 to /22")]
    """Secondary range of the VPC for pods, so that they do not use up routable addresses."""
    service_cidr: Annotated[str, AfterValidator(service_range), Allowed("private IPv4 range, /12 to /24")]
    """Range of Kubernetes services; it exists only inside the cluster."""
    zones: Zones = Field(min_length=2, max_length=6)
    """Availability zones. EKS and RDS both require subnets in at least two."""
    nat: Nat
    """NAT of the private subnets: none, one gateway (cheap, but the failure of its zone cuts off all), or one per
    zone."""
    interface_endpoints: Endpoints = ()
    """AWS services that nodes and pods reach through a private endpoint instead of the internet."""
    connections: Annotated[dict[Name, ConnectionSpec], Allowed("names to connections")] = Field(
        default_factory=dict[str, ConnectionSpec]
    )
    """Connections to networks outside the VPC, by name: offices behind a VPN, CI runners."""
    flow_log_retention_days: RetentionDays = 90
    """Retention of flow logs in days."""

    @model_validator(mode="after")
    def a_gateway_is_named_once(self) -> Self:
        """Reject a gateway that two connections name, because a VPC is attached to a transit gateway once.

        https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
        """
        seen: dict[str, str] = {}
        refuse(
            Problem(
                field=f"connections.{name}.gateway",
                value=connection.gateway,
                fix=f"move its ranges to network.connections.{seen[connection.gateway]}, which has the same gateway",
            )
            for name, connection in self.connections.items()
            if seen.setdefault(connection.gateway, name) != name
        )
        return self

    @model_validator(mode="after")
    def ranges_do_not_overlap(self) -> Self:
        """Reject ranges that overlap. https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html"""
        named = {"cidr": self.cidr, "pod_cidr": self.pod_cidr, "service_cidr": self.service_cidr}
        for name, connection in self.connections.items():
            named |= {f"connections.{name}.cidrs.{title}": cidr for title, cidr in connection.cidrs.items()}
        fields = list(named)
        refuse(
            Problem(
                field=later, value=named[later], fix=f"choose a range apart from network.{earlier} {named[earlier]}"
            )
            for position, later in enumerate(fields)
            for earlier in fields[:position]
            if ipaddress.IPv4Network(named[later]).overlaps(ipaddress.IPv4Network(named[earlier]))
        )
        return self

    def plan(self) -> tuple[ZoneSubnets, ...]:
        """Return the zones with their address ranges, ordered by zone letter and not as in the stack file."""
        return tuple(sorted(plan_subnets(self.cidr, self.pod_cidr, self.zones), key=lambda zone: zone.letter))

    def nat_zone(self, letter: str) -> str | None:
        """Return the letter of the zone with the NAT gateway for private subnets of zone `letter`; None without NAT."""
        if self.nat == "none":
            return None
        return letter if self.nat == "per_zone" else min(zone[-1] for zone in self.zones)
