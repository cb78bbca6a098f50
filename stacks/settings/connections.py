"""Settings of connections from the VPC to external networks: through a transit gateway or a peering connection."""

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from validation.base import Allowed, Section, network_range
from validation.names import Name

GATEWAY = re.compile(r"(tgw|pcx)-([0-9a-f]{8}|[0-9a-f]{17})")
# https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html: EC2 rejects routes to 169.254.168.0/22, and nodes
# use the rest of the range themselves (metadata, time, DNS, the Pod Identity agent).
LINK_LOCAL = ipaddress.IPv4Network("169.254.0.0/16")


def gateway_id(text: str) -> str:
    if not GATEWAY.fullmatch(text):
        raise ValueError("write the id of a transit gateway (tgw-0123456789abcdef0) or peering connection (pcx-...)")
    return text


def outside_range(text: str) -> str:
    if ipaddress.IPv4Network(network_range(text)).overlaps(LINK_LOCAL):
        raise ValueError(f"write a range apart from {LINK_LOCAL}, which leads to a node's own services")
    return text


Outside = Annotated[str, AfterValidator(outside_range)]


class ConnectionSettings(Section):
    gateway: Annotated[str, AfterValidator(gateway_id), Allowed("id of a transit gateway or peering connection")]
    """Existing gateway of the connection. For a transit gateway, the program creates the VPC attachment, which AWS
    bills by the hour. For a peering connection, it creates only the routes.
    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html"""
    cidrs: Annotated[dict[Name, Outside], Allowed("names to IPv4 ranges")] = Field(min_length=1)
    """Ranges behind the gateway, by name; `cluster.private_cidrs` selects those that may call the Kubernetes API."""
