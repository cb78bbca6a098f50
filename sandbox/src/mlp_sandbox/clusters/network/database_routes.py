"""How nodes and pods of one cluster reach databases of its VPC, which listen on addresses of the host.

To a node such an address is a neighbour's on the bridge. The bridge answers for it (a proxy entry), and the cluster's
network sends on to the host what comes for it. https://man7.org/linux/man-pages/man8/ip-neighbour.8.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from mlp_sandbox.clusters.network.network import BRIDGE, UPLINK, ClusterNetwork, ip, try_ip

_MARK: Final = ("proto", "static")
"""Of these routes, and of no other in the cluster's network."""


def bring_in_step(network: ClusterNetwork, addresses: Iterable[str]) -> None:
    """Ways to these addresses, and to no other database. Raises SandboxError."""
    wanted = set(addresses)
    routes: list[dict[str, Any]] = json.loads(ip("-json", "route", "show", *_MARK, netns=network.netns) or "[]")
    for gone in sorted({str(each["dst"]) for each in routes} - wanted):
        try_ip("neighbour", "delete", "proxy", gone, "dev", BRIDGE, netns=network.netns)
        ip("route", "delete", f"{gone}/32", "dev", UPLINK, *_MARK, netns=network.netns)
    for address in sorted(wanted):
        way = ("via", network.host_address, "dev", UPLINK)
        ip("route", "replace", f"{address}/32", *way, *_MARK, netns=network.netns)
        ip("neighbour", "replace", "proxy", address, "dev", BRIDGE, netns=network.netns)
