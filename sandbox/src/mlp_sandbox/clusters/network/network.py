"""Network of one cluster: a namespace with a bridge, and one veth pair ("uplink") that connects it to the host.

The host gets a single link, and no rules or settings. Traffic that leaves the cluster is translated (NAT) inside its
namespace. There is no route beyond the host, so that a connection to any other address fails at once instead of timing
out.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final

from mlp_sandbox import owners
from mlp_sandbox.clusters.folder import ClusterFolder, read_json, write
from mlp_sandbox.errors import SandboxError

UPLINKS: Final = IPv4Network("198.18.0.0/16")
"""Range for benchmark tests between networks, which no real network uses: https://www.rfc-editor.org/rfc/rfc2544"""

BRIDGE: Final = "nodes"
UPLINK: Final = "uplink"
LINK_PREFIX: Final = "mlp-up"
NETNS_FOLDER: Final = Path("/run/netns")
_BLOCKS: Final = range(1, 255)
_SECONDS: Final = 20.0
_ALIAS_LENGTH: Final = 255
_SETTINGS: Final = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    f"net/ipv4/conf/{BRIDGE}/send_redirects": "0",
    # Applies to the addresses that the bridge is a proxy for (`database_routes`). By default it waits up to 0.8 s.
    f"net/ipv4/neigh/{BRIDGE}/proxy_delay": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/ipv4/ip_unprivileged_port_start": "0",
}
_RULES: Final = f"""
table ip mlp
delete table ip mlp
table ip mlp {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    oifname "{UPLINK}" masquerade
  }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class ClusterNetwork:
    """Network of one cluster.

    Attributes:
        gateway: Address of the bridge.
        host_address: Address of the host's end of the uplink.
        address: Address of the cluster's end of the uplink.
    """

    netns: str
    gateway: str
    prefix_length: int
    link: str
    host_address: str
    address: str

    def enter(self) -> tuple[str, ...]:
        """Return the command prefix that runs a command inside the network namespace."""
        return ("nsenter", f"--net={NETNS_FOLDER / self.netns}", "--")


def first_address(cidr: str, place: int = 1) -> str:
    """Return the address at position `place` of a range. Raises SandboxError if the range is too small."""
    network = IPv4Network(cidr)
    if network.num_addresses <= place + 1:
        raise SandboxError(f"range {cidr} has no address number {place}; use a larger one")
    return str(network.network_address + place)


def ensure(folder: ClusterFolder, vpc_cidr: str) -> ClusterNetwork:
    """Create the missing parts of the cluster's network.

    Raises SandboxError with the error message of the command that failed.
    """
    if IPv4Network(vpc_cidr).overlaps(UPLINKS):
        raise SandboxError(
            f"VPC range {vpc_cidr} overlaps {UPLINKS}, which joins clusters to this machine; use another"
        )
    netns = folder.netns
    with machine_lock():
        if not _enters(netns):
            try_ip("netns", "delete", netns)
            (NETNS_FOLDER / netns).unlink(missing_ok=True)
            owners.note(netns, folder.root)
            ip("netns", "add", netns)
        ip("link", "set", "lo", "up", netns=netns)
        gateway = first_address(vpc_cidr)
        prefix = IPv4Network(vpc_cidr).prefixlen
        if not try_ip("link", "show", BRIDGE, netns=netns):
            ip("link", "add", BRIDGE, "type", "bridge", netns=netns)
        ip("address", "replace", f"{gateway}/{prefix}", "dev", BRIDGE, netns=netns)
        ip("link", "set", BRIDGE, "up", netns=netns)
        index = _uplink(folder)
    network = ClusterNetwork(
        netns=netns,
        gateway=gateway,
        prefix_length=prefix,
        link=f"{LINK_PREFIX}{index}",
        host_address=str(_block(index)[1]),
        address=str(_block(index)[2]),
    )
    ip("address", "replace", f"{network.host_address}/30", "dev", network.link)
    ip("link", "set", network.link, "up")
    ip("address", "replace", f"{network.address}/30", "dev", UPLINK, netns=netns)
    ip("link", "set", UPLINK, "up", netns=netns)
    _run([*network.enter(), "nft", "-f", "-"], _RULES)
    settings = "\n".join(
        f"[ ! -e /proc/sys/{name} ] || echo {value} > /proc/sys/{name}" for name, value in _SETTINGS.items()
    )
    _run([*network.enter(), "sh", "-e"], settings)
    return network


def remove(folder: ClusterFolder) -> None:
    """Remove the cluster's network. Does nothing if there is none."""
    netns = folder.netns
    index = read_json(folder.places).get("uplink")
    with machine_lock():
        if isinstance(index, int) and _owner(netns, index):
            try_ip("link", "delete", f"{LINK_PREFIX}{index}")
        if (NETNS_FOLDER / netns).exists():
            delete_namespace(netns)
        owners.forget(netns)


def delete_namespace(netns: str) -> None:
    """Delete a namespace, and the folder of namespaces if it was the last one. The caller holds the machine's lock."""
    try_ip("netns", "delete", netns)
    (NETNS_FOLDER / netns).unlink(missing_ok=True)
    _remove_empty_netns_folder()


def choose_uplink(preferred: int | None, taken_links: Iterable[str], taken_addresses: Iterable[str]) -> int:
    """Return the number of a free /30, preferably `preferred`. Raises SandboxError if none is free."""
    links = set(taken_links)
    addresses = [IPv4Address(each) for each in taken_addresses]
    first = [preferred] if preferred is not None and preferred in _BLOCKS else []
    for index in [*first, *_BLOCKS]:
        if f"{LINK_PREFIX}{index}" not in links and not any(each in _block(index) for each in addresses):
            return index
    raise SandboxError(f"all of {UPLINKS} is taken on this machine: stop other sandboxes (`mlp sandbox down`)")


@contextmanager
def machine_lock() -> Generator[None]:
    """Hold an exclusive lock on this machine. It leaves no lock file."""
    descriptor = os.open(NETNS_FOLDER.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def ip(*arguments: str, netns: str | None = None) -> str:
    """Run `ip` and return its output. Raises SandboxError with its error message when it fails."""
    where = ["-n", netns] if netns else []
    return _run(["ip", *where, *arguments])


def try_ip(*arguments: str, netns: str | None = None) -> bool:
    """Run `ip` and return False when it fails. For removals, a failure means that there was nothing to remove."""
    try:
        ip(*arguments, netns=netns)
    except SandboxError:
        return False
    return True


def _uplink(folder: ClusterFolder) -> int:
    """Return the number of the uplink. Creates the uplink if it is missing."""
    places = read_json(folder.places)
    recorded = places.get("uplink")
    recorded = recorded if isinstance(recorded, int) else None
    if recorded is not None and _owner(folder.netns, recorded):
        return recorded
    try_ip("link", "delete", UPLINK, netns=folder.netns)
    found: list[dict[str, Any]] = json.loads(ip("-json", "address", "show"))
    addresses = [str(info["local"]) for link in found for info in link["addr_info"] if info["family"] == "inet"]
    index = choose_uplink(recorded, (str(link["ifname"]) for link in found), addresses)
    write(folder.places, json.dumps({**places, "uplink": index}))
    peer = ("type", "veth", "peer", "name", UPLINK, "netns", folder.netns)
    ip("link", "add", f"{LINK_PREFIX}{index}", *peer)
    owner = str(folder.root.resolve())
    if len(owner.encode()) <= _ALIAS_LENGTH:  # a truncated path would name a missing folder
        ip("link", "set", f"{LINK_PREFIX}{index}", "alias", owner)
    return index


def _owner(netns: str, index: int) -> bool:
    """Return True if the host's link of that number is the other end of the namespace's uplink."""
    try:
        [inside] = json.loads(ip("-json", "link", "show", UPLINK, netns=netns))
        [outside] = json.loads(ip("-json", "link", "show", f"{LINK_PREFIX}{index}"))
    except (SandboxError, ValueError):
        return False
    return bool(inside.get("link_index") == outside["ifindex"] and outside.get("link_index") == inside["ifindex"])


def _block(index: int) -> IPv4Network:
    return IPv4Network((int(UPLINKS.network_address) + index * 256, 30))


def _enters(netns: str) -> bool:
    """Return True if the namespace is usable. Its file may exist without it."""
    return (NETNS_FOLDER / netns).exists() and try_ip("link", "show", "lo", netns=netns)


def _remove_empty_netns_folder() -> None:
    """Unmount and remove the folder of namespaces if it is empty.

    `ip netns add` makes the folder a mount point, and nothing else removes that.
    """
    if NETNS_FOLDER.is_dir() and not any(NETNS_FOLDER.iterdir()):
        if f" {NETNS_FOLDER} " in Path("/proc/self/mountinfo").read_text():
            subprocess.run(["umount", str(NETNS_FOLDER)], check=False, capture_output=True, timeout=_SECONDS)
        try:
            NETNS_FOLDER.rmdir()
        except OSError:
            return


def _run(command: list[str], text: str | None = None) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, input=text, timeout=_SECONDS)
    except FileNotFoundError as error:
        raise SandboxError(f"no {command[0]} on PATH: real nodes need it; on Debian: `make setup` as root") from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"`{' '.join(command)}` does not end") from error
    except subprocess.CalledProcessError as error:
        raise SandboxError(f"`{' '.join(command)}`: {' '.join(str(error.stderr).split())}") from error
    return done.stdout
