"""VPC addresses of databases that this machine answers on, each a /32 of its loopback interface.

The kernel keeps a label with each address that names its owner. With it, addresses that a killed sandbox left are found
and removed. https://man7.org/linux/man-pages/man8/ip-address.8.html
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any, Final

from mlp_sandbox import owners
from mlp_sandbox.databases.postgres.errors import DataPlaneError

_INTERFACE: Final = "lo"
_LABEL_LENGTH: Final = 15
_CAP_NET_ADMIN: Final = 12
_SECONDS: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class HostAddress:
    """Address of this machine; `label` begins with the interface and may add a mark of the owner."""

    address: IPv4Interface
    label: str


def label(home: Path) -> str:
    """Return the label of a sandbox home's addresses; the kernel requires the interface first."""
    return f"{_INTERFACE}:mlp{hashlib.sha256(str(home.resolve()).encode()).hexdigest()}"[:_LABEL_LENGTH]


def possible() -> bool:
    """Return whether this process may add addresses to the machine."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    status = Path("/proc/self/status").read_text().splitlines()
    granted = next((line.split()[1] for line in status if line.startswith("CapEff:")), "0")
    return bool(int(granted, 16) >> _CAP_NET_ADMIN & 1)


def of_machine() -> list[HostAddress]:
    """Return every IPv4 address that the machine has now."""
    found: list[dict[str, Any]] = json.loads(_ip("-json", "-4", "address", "show"))
    return [
        HostAddress(
            address=IPv4Interface(f"{info['local']}/{info['prefixlen']}"),
            label=str(info.get("label", link["ifname"])),
        )
        for link in found
        for info in link["addr_info"]
    ]


def covered(subnet: IPv4Network, have: Iterable[HostAddress]) -> IPv4Network | None:
    """Return a network of this machine that overlaps the subnet, or None: neighbours may use the subnet's addresses."""
    return next((each.address.network for each in have if _is_neighbourhood(each, subnet)), None)


def ensure(address: str, home: Path, have: Collection[HostAddress]) -> str | None:
    """Make the machine answer on the address. Return why it cannot (another owner has it), or None on success."""
    mine = label(home)
    holder = next((each.label for each in have if each.address.ip == IPv4Address(address)), None)
    if holder is None:
        owners.note(mine, home)
        try:
            # With this scope, the machine never uses it as the source address of packets to other machines.
            _ip("address", "add", f"{address}/32", "dev", _INTERFACE, "scope", "host", "label", mine)
        except DataPlaneError as error:  # another sandbox may have been quicker
            return str(error)
        return None
    return None if holder == mine else f"{address} is another one's on this machine ({holder})"


def release(home: Path, keep: Collection[str] = ()) -> None:
    """Remove the addresses of a sandbox home, except those in `keep`."""
    if not possible():
        return
    for each in of_machine():
        if each.label == label(home) and str(each.address.ip) not in keep:
            _ip("address", "delete", f"{each.address.ip}/32", "dev", _INTERFACE)
    if not keep:
        owners.forget(label(home))


def _is_neighbourhood(found: HostAddress, subnet: IPv4Network) -> bool:
    return found.address.network.prefixlen < 32 and found.address.network.overlaps(subnet)


def _ip(*arguments: str) -> str:
    command = ["ip", *arguments]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS).stdout
    except subprocess.TimeoutExpired as error:
        raise DataPlaneError(f"`{' '.join(command)}` does not end") from error
    except subprocess.CalledProcessError as error:
        raise DataPlaneError(f"`{' '.join(command)}`: {' '.join(str(error.stderr).split())}") from error
