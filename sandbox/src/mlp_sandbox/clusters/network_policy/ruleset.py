"""Rules of one node's pods as an nftables table, which replaces the previous table atomically.

Egress is filtered where it enters the node's network, before any address translation. Ingress is filtered where it is
routed to the pod. Traffic from the node itself to its pods, such as probes, is not forwarded and always passes.
https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from mlp_sandbox.clusters.network_policy.objects import Pod
from mlp_sandbox.clusters.network_policy.rules import ANYWHERE, Allow, Block, PodRules, Ports

TABLE = "network-policies"
HTTPS = Ports(protocol="TCP", first=443, last=443)
REMOVED = f"table ip {TABLE}\ndelete table ip {TABLE}\n"
"""Commands that remove the table. They declare it first, because the deletion of a missing table would fail."""

# Replies to allowed traffic always pass. The original direction is checked for every packet, so that a new policy also
# ends existing connections, as on EKS those of a pod that had no policy before.
_KNOWN = ("ct direction reply accept", "ct state related accept")


@dataclass(frozen=True, kw_only=True)
class AwsEndpoint:
    """Address and port where pods reach the emulated AWS."""

    address: str
    port: int


def ruleset(rules: Iterable[tuple[Pod, PodRules]], *, node_address: str, aws: AwsEndpoint) -> str:
    """Return the nftables commands for the pods of one node. Pods with the same rules share a chain."""
    chains: dict[str, list[str]] = {}
    sent: dict[str, str] = {}
    received: dict[str, str] = {}
    for pod, allowed in sorted(rules, key=lambda each: each[0].address):
        if allowed.egress is not None:
            aws_verdict = "accept" if reaches_aws(allowed.egress) else "drop"
            # The emulated endpoint stands for AWS' public addresses and TCP 443.
            first = f"ip daddr {aws.address} tcp dport {aws.port} {aws_verdict}"
            sent[pod.address] = _chain(chains, "egress", [first, *_accept(allowed.egress, "daddr")])
        if allowed.ingress is not None:
            received[pod.address] = _chain(chains, "ingress", _accept(allowed.ingress, "saddr"))
    egress = ["type filter hook prerouting priority mangle; policy accept;", *_KNOWN, f"ip daddr {node_address} accept"]
    ingress = ["type filter hook forward priority filter; policy accept;", *_KNOWN]
    if received:  # a pod may reach itself through a Service
        ingress.append(f"ip saddr . ip daddr {{ {', '.join(f'{each} . {each}' for each in received)} }} accept")
    chains |= {"sent": [*egress, *_jumps("saddr", sent)], "received": [*ingress, *_jumps("daddr", received)]}
    text = "".join(f"\tchain {name} {{\n{_lines(lines)}\t}}\n" for name, lines in chains.items())
    return f"{REMOVED}table ip {TABLE} {{\n{text}}}\n"


def reaches_aws(egress: Iterable[Allow]) -> bool:
    """Return True if TCP 443 to any public address is allowed.

    Any public address counts, because AWS guarantees no fixed addresses.
    """
    return any(
        (each.ports is None or any(_covers(have, HTTPS) for have in each.ports))
        and any(_is_public(block) for block in each.blocks)
        for each in egress
    )


def _covers(have: Ports, wanted: Ports) -> bool:
    if have.protocol != wanted.protocol:
        return False
    return have.first is None or have.first <= (wanted.first or 0) <= (have.last or have.first)


def _is_public(block: Block) -> bool:
    left = [block.network]
    for gone in block.excepts:
        left = [part for each in left for part in _without(each, gone)]
    return any(each.is_global for each in left)


def _without(network: IPv4Network, gone: IPv4Network) -> Iterable[IPv4Network]:
    if gone.supernet_of(network):
        return ()
    return network.address_exclude(gone) if gone.subnet_of(network) else (network,)


def _chain(chains: dict[str, list[str]], direction: str, accepted: list[str]) -> str:
    lines = [*accepted, "drop"]
    name = f"{direction}-{hashlib.sha256('|'.join(lines).encode()).hexdigest()[:12]}"
    chains[name] = lines
    return name


def _jumps(side: str, targets: Mapping[str, str]) -> list[str]:
    listed = ", ".join(f"{address} : goto {chain}" for address, chain in targets.items())
    return [f"ip {side} vmap {{ {listed} }}"] if listed else []


def _accept(allowed: Iterable[Allow], side: str) -> list[str]:
    lines: list[str] = []
    for each in allowed:
        for address in _addresses(each.blocks, side):
            lines += [" ".join(part for part in (address, port, "accept") if part) for port in _ports(each.ports)]
    return lines


def _addresses(blocks: Iterable[Block], side: str) -> list[str]:
    plain = [block.network for block in blocks if not block.excepts]
    cut = [
        f"{_in(block.network, side)} ip {side} != {{ {', '.join(str(each) for each in block.excepts)} }}".strip()
        for block in blocks
        if block.excepts
    ]
    if ANYWHERE in plain:
        return [""]
    listed = [f"ip {side} {{ {', '.join(_text(each) for each in plain)} }}"] if plain else []
    return [*listed, *cut]


def _in(network: IPv4Network, side: str) -> str:
    return "" if network == ANYWHERE else f"ip {side} {network}"


def _text(network: IPv4Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _ports(ports: Iterable[Ports] | None) -> list[str]:
    if ports is None:
        return [""]
    lines: list[str] = []
    for protocol in sorted({each.protocol for each in ports}):
        ranges = [(each.first, each.last or each.first) for each in ports if each.protocol == protocol and each.first]
        if any(each.protocol == protocol and each.first is None for each in ports):
            lines.append(f"meta l4proto {protocol.lower()}")
        else:
            lines.append(f"{protocol.lower()} dport {{ {', '.join(_joined(ranges))} }}")
    return lines


def _joined(ranges: Iterable[tuple[int, int]]) -> list[str]:
    """Merge overlapping ranges, because nftables rejects a set that contains them."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return [f"{first}-{last}" if last > first else str(first) for first, last in joined]


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"\t\t{line}\n" for line in lines)
