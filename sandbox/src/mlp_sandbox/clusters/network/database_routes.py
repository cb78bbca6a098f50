"""Routes from nodes and pods of one cluster to databases of its VPC, which listen on addresses of the host.

For a node, such an address is a neighbour on the bridge. The bridge answers ARP requests for it (a proxy entry), and
the cluster's network forwards the traffic to the host. https://man7.org/linux/man-pages/man8/ip-neighbour.8.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from mlp_sandbox.clusters.network.network import BRIDGE, UPLINK, ClusterNetwork, ip, try_ip

_MARK: Final = ("proto", "static")
"""Protocol of these routes, which no other route in the cluster's network has."""


def bring_in_step(network: ClusterNetwork, addresses: Iterable[str]) -> None:
    """Add routes to these database addresses, and remove the routes to all others. Raises SandboxError."""
    wanted = set(addresses)
    routes: list[dict[str, Any]] = json.loads(ip("-json", "route", "show", *_MARK, netns=network.netns) or "[]")
    for gone in sorted({str(each["dst"]) for each in routes} - wanted):
        try_ip("neighbour", "delete", "proxy", gone, "dev", BRIDGE, netns=network.netns)
        ip("route", "delete", f"{gone}/32", "dev", UPLINK, *_MARK, netns=network.netns)
    for address in sorted(wanted):
        way = ("via", network.host_address, "dev", UPLINK)
        ip("route", "replace", f"{address}/32", *way, *_MARK, netns=network.netns)
        ip("neighbour", "replace", "proxy", address, "dev", BRIDGE, netns=network.netns)
