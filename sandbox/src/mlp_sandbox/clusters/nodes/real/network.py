"""Network namespace of a node: its veth pair to the cluster's bridge, addresses, routes and kernel settings."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mlp_sandbox.clusters.nodes.real.plan import Network

POD_IDENTITY_ADDRESS = "169.254.170.23"
"""Address of the agent for AWS SDKs: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html"""

# Packets of pods are routed to other nodes through the same interface. A redirect would break the way back.
_SETTINGS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv4/conf/eth0/send_redirects": "0",
    "net/ipv4/conf/all/accept_redirects": "0",
    "net/ipv4/conf/eth0/accept_redirects": "0",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/ipv4/ping_group_range": "0 2147483647",
}


def ip(*arguments: str, netns: str | None = None) -> None:
    where = ["-n", netns] if netns else []
    subprocess.run(["ip", *where, *arguments], check=True, capture_output=True, text=True, timeout=20)


def try_ip(*arguments: str, netns: str | None = None) -> bool:
    """Run `ip` and return False when it fails. For removals, a failure means that there was nothing to remove."""
    try:
        ip(*arguments, netns=netns)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def connect(network: Network) -> None:
    """Connect the node to the cluster's bridge.

    Only the node's first process may call this: the veth pair's other end goes to the network namespace of pid 1.
    """
    try_ip("link", "del", network.link, netns=network.netns)
    ip("link", "add", network.link, "type", "veth", "peer", "name", "eth0", "netns", "1", netns=network.netns)
    ip("link", "set", network.link, "master", network.bridge, "up", netns=network.netns)
    ip("link", "set", "lo", "up")
    ip("address", "add", f"{POD_IDENTITY_ADDRESS}/32", "dev", "lo")
    ip("address", "add", f"{network.address}/{network.prefix_length}", "dev", "eth0")
    ip("link", "set", "eth0", "up")
    ip("route", "add", "default", "via", network.gateway)
    ip("route", "replace", network.pod_cidr, "via", network.address, netns=network.netns)
    for name, value in _SETTINGS.items():
        path = Path("/proc/sys", name)
        if path.exists():
            path.write_text(value)


def disconnect(network: Network) -> None:
    """Remove the route and the link of an ended node from the cluster's namespace."""
    if Path("/run/netns", network.netns).exists():
        try_ip("route", "del", network.pod_cidr, "via", network.address, netns=network.netns)
        try_ip("link", "del", network.link, netns=network.netns)
