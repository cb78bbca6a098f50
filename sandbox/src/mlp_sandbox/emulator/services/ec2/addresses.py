"""Subnets: a freed address is reused only when no other is left, as EC2 does for a long time.

Nodes are named after their address. If it were reused at once, a new node would be mistaken for the deleted one.
"""

import ipaddress
from typing import Any

from moto.ec2.models.subnets import Subnet

from mlp_sandbox.emulator.faults import Fault


def available_address(self: Any, instance: Any) -> str:
    """Return the next address that was never used, else the lowest free one."""
    for address in self._subnet_ip_generator:
        if address == self.cidr.broadcast_address:
            break
        if str(address) not in self._subnet_ips and str(address) not in self._unused_ips:
            self._subnet_ips[str(address)] = instance
            return str(address)
    if not self._unused_ips:
        raise Fault(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{self.id}' to satisfy the requested number of instances.",
        )
    lowest = min(self._unused_ips, key=ipaddress.ip_address)
    self._unused_ips.remove(lowest)
    self._subnet_ips[lowest] = instance
    return str(lowest)


_subnet: Any = Subnet
_subnet.get_available_subnet_ip = available_address
