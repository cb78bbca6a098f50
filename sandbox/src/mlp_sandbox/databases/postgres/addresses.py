"""Addresses of instances: one each, so that each can use its requested port and sandboxes do not collide.

An address is derived by hashing. The choice is recorded beside the instance and does not change. In a VPC it is an
address of the DB subnet. Elsewhere every sandbox home owns one /24 of a pool of loopback addresses, and every instance
has a place in it: Linux answers on all of 127.0.0.0/8 without any set-up.
"""

import errno
import hashlib
import socket
from collections.abc import Collection, Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from mlp_sandbox.databases.postgres.errors import DataPlaneError

ADDRESS_POOL: Final = IPv4Network("127.64.0.0/10")
"""Pool for instances that have no address of a VPC."""

_BLOCK: Final = 256


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def candidates(pool: IPv4Network, home: Path, identifier: str) -> Iterator[str]:
    """Yield every address that an instance of this home may have, the preferred one first.

    Network and broadcast addresses are left out.
    """
    block = min(_BLOCK, pool.num_addresses)
    start = int(pool.network_address) + (_number(str(home.resolve())) % (pool.num_addresses // block)) * block
    usable = block - 2
    if usable < 1:
        raise DataPlaneError(f"address pool {pool} is too small: it needs at least 4 addresses (a /30)")
    first = _number(identifier)
    for step in range(usable):
        yield str(IPv4Address(start + 1 + (first + step) % usable))


def subnet_candidates(subnet: IPv4Network, home: Path, identifier: str) -> Iterator[str]:
    """Yield the addresses of a subnet that an instance of this home may have, the preferred one first.

    They lie in the upper half, because EC2 assigns addresses of instances and interfaces from below, and AWS reserves
    the first four and the last address. https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    half = subnet.num_addresses // 2
    usable = half - 1
    if usable < 4:
        raise DataPlaneError(f"subnet {subnet} is too small: AWS wants at least 16 addresses (a /28)")
    start = int(subnet.network_address) + half
    first = _number(f"{home.resolve()} {identifier}")
    for step in range(usable):
        yield str(IPv4Address(start + (first + step) % usable))


def has_address(address: str) -> bool:
    """Return whether the address belongs to this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def why_unusable(address: str, port: int) -> str | None:
    """Return why no process can listen there now, or None when one can."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"{address}:{port} is taken by another process"
            if error.errno == errno.EADDRNOTAVAIL:
                return f"{address} is not an address of this machine"
            return f"{address}:{port} cannot be used: {error.strerror}"
    return None


def choose_address(pool: IPv4Network, home: Path, identifier: str, port: int, taken: Collection[str]) -> str:
    """Return the first address of the instance that no other instance of the home has and whose port is free.

    Raises:
        DataPlaneError: there is no such address in the pool.
    """
    reason = "all are given to other instances"
    for address in candidates(pool, home, identifier):
        if address in taken:
            continue
        problem = why_unusable(address, port)
        if problem is None:
            return address
        reason = problem
    raise DataPlaneError(
        f"no address of {pool} is free for port {port} ({reason}); "
        f"end what listens on 0.0.0.0:{port} or ask for another port"
    )
