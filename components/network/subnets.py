"""Subnet plan: the address ranges of each availability zone. Pure, so the stack file is validated with the same rules.

Every zone letter owns one eighth of the VPC's range, whichever zones are in use. Adding, removing or reordering zones
therefore never moves the subnets of another zone (a subnet's range cannot be changed: AWS would replace the subnet with
everything in it).

    zone's eighth:  | private 1/2 | public 1/8 | intra 1/8 | free 1/4 |

The same applies to the secondary range, whose eighths are the pod subnets.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

SLOTS = "abcdefgh"
SLOT_BITS = 3
# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html and subnet-sizing.html: /16 to /28, less five
LARGEST_PREFIX, SMALLEST_SUBNET_PREFIX, RESERVED_ADDRESSES = 16, 28, 5
SMALLEST_RANGE_PREFIX = SMALLEST_SUBNET_PREFIX - 2 * SLOT_BITS
PRIVATE_RANGES = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
DOCKER_RANGE = ipaddress.IPv4Network("172.17.0.0/16")  # SageMaker and Cloud9 use it on their own hosts
POD_RANGE = ipaddress.IPv4Network("100.64.0.0/10")  # AWS lets any VPC add it, whatever its primary range


@dataclass(frozen=True, kw_only=True)
class ZoneSubnets:
    zone: str
    letter: str
    private: str
    public: str
    intra: str
    pods: str


def check_vpc_range(cidr: str) -> None:
    network = _sized(cidr)
    if not any(network.subnet_of(allowed) for allowed in PRIVATE_RANGES):
        raise ValueError(f"write a range inside {', '.join(str(allowed) for allowed in PRIVATE_RANGES)}")
    if network.overlaps(DOCKER_RANGE):
        raise ValueError(f"choose a range apart from {DOCKER_RANGE}, AWS services such as SageMaker use it themselves")


def check_pod_range(cidr: str) -> None:
    if not _sized(cidr).subnet_of(POD_RANGE):
        raise ValueError(f"write a range inside {POD_RANGE}, which may be added to every VPC")


def _sized(cidr: str) -> ipaddress.IPv4Network:
    network = ipaddress.IPv4Network(cidr)
    if not LARGEST_PREFIX <= network.prefixlen <= SMALLEST_RANGE_PREFIX:
        raise ValueError(
            f"write a range between /{LARGEST_PREFIX} and /{SMALLEST_RANGE_PREFIX}: AWS takes no larger one, "
            f"and in a smaller one a zone's subnets would be below its minimum of /{SMALLEST_SUBNET_PREFIX}"
        )
    return network


def plan_subnets(vpc_cidr: str, pod_cidr: str, zones: Sequence[str]) -> tuple[ZoneSubnets, ...]:
    """Return the subnets of each zone, in the order of `zones`.

    Args:
        vpc_cidr: Range of the VPC that `check_vpc_range` accepts.
        pod_cidr: Secondary range that `check_pod_range` accepts.
        zones: Names of availability zones that end in different letters of `SLOTS`.
    """
    return tuple(_zone_subnets(vpc_cidr, pod_cidr, zone) for zone in zones)


def _zone_subnets(vpc_cidr: str, pod_cidr: str, zone: str) -> ZoneSubnets:
    slot = SLOTS.index(zone[-1])
    block = _part(ipaddress.IPv4Network(vpc_cidr), SLOT_BITS, slot)
    return ZoneSubnets(
        zone=zone,
        letter=zone[-1],
        private=str(_part(block, 1, 0)),
        public=str(_part(block, SLOT_BITS, 4)),
        intra=str(_part(block, SLOT_BITS, 5)),
        pods=str(_part(ipaddress.IPv4Network(pod_cidr), SLOT_BITS, slot)),
    )


def _part(network: ipaddress.IPv4Network, bits: int, index: int) -> ipaddress.IPv4Network:
    """Return the part number `index` of the 2**bits equal parts of a network."""
    size = network.num_addresses >> bits
    return ipaddress.IPv4Network((int(network.network_address) + index * size, network.prefixlen + bits))


def usable_addresses(cidr: str) -> int:
    return ipaddress.IPv4Network(cidr).num_addresses - RESERVED_ADDRESSES
