"""Traffic that NetworkPolicies allow for a pod, resolved to addresses and ports as the VPC CNI's controller does.

Egress traffic is matched by its original destination, before kube-proxy translates a Service's address to a pod's.
Therefore a peer that selects pods stands for these pods, and for the Services whose selector it matches.
https://github.com/aws/amazon-network-policy-controller-k8s
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from mlp_sandbox.clusters.network_policy.objects import Content, Pod, Policy, Service
from mlp_sandbox.clusters.network_policy.selectors import matches

ANYWHERE = IPv4Network("0.0.0.0/0")


@dataclass(frozen=True, kw_only=True)
class Block:
    """Range of addresses without the ranges in `excepts`."""

    network: IPv4Network
    excepts: tuple[IPv4Network, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Port range of a protocol, from `first` to `last`. `first` is None for the whole protocol."""

    protocol: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, kw_only=True)
class Allow:
    """Rule that allows traffic with any of the blocks on any of the ports.

    `ports` is None for every protocol and port.
    """

    blocks: tuple[Block, ...]
    ports: frozenset[Ports] | None = None


@dataclass(frozen=True, kw_only=True)
class PodRules:
    """Allowed traffic of a pod.

    A direction is None if no policy selects the pod for it, so that all its traffic may pass.
    """

    ingress: tuple[Allow, ...] | None
    egress: tuple[Allow, ...] | None


def rules_of(pod: Pod, content: Content) -> PodRules:
    """Return the rules of a pod. Policies do not apply to pods in the network of their node."""
    mine = [
        policy
        for policy in content.policies
        if policy.namespace == pod.namespace
        and not pod.host_network
        and matches(policy.spec.get("podSelector") or {}, pod.labels)
    ]
    ingress = [policy for policy in mine if "Ingress" in policy_types(policy)]
    egress = [policy for policy in mine if "Egress" in policy_types(policy)]
    return PodRules(
        ingress=_merged(each for policy in ingress for each in _ingress(policy, pod, content)) if ingress else None,
        egress=_merged(each for policy in egress for each in _egress(policy, content)) if egress else None,
    )


def policy_types(policy: Policy) -> list[str]:
    default = ["Ingress", "Egress"] if policy.spec.get("egress") else ["Ingress"]
    return policy.spec.get("policyTypes") or default


def _ingress(policy: Policy, pod: Pod, content: Content) -> Iterator[Allow]:
    for rule in policy.spec.get("ingress") or []:
        wanted = rule.get("ports") or []
        ports = _resolved(wanted, pod)
        if wanted and not ports:
            continue
        if not rule.get("from"):
            yield Allow(blocks=(Block(network=ANYWHERE),), ports=ports)
        for peer in rule.get("from") or []:
            if peer.get("ipBlock"):
                yield from _outside(peer["ipBlock"], ports)
            else:
                for each in _selected(policy, peer, content):
                    yield _host(each.address, ports)


def _egress(policy: Policy, content: Content) -> Iterator[Allow]:
    for rule in policy.spec.get("egress") or []:
        wanted = rule.get("ports") or []
        numbered = _resolved(wanted, None)
        by_address = not wanted or bool(numbered)
        if not rule.get("to") and by_address:
            yield Allow(blocks=(Block(network=ANYWHERE),), ports=numbered)
        for peer in rule.get("to") or []:
            if peer.get("ipBlock"):
                if by_address:
                    yield from _outside(peer["ipBlock"], numbered)
                continue
            for pod in _selected(policy, peer, content):
                ports = _resolved(wanted, pod)
                if not wanted or ports:
                    yield _host(pod.address, ports)
            namespaces = _namespaces(policy, peer, content)
            for service in content.services:
                if service.namespace in namespaces and matches(peer.get("podSelector") or {}, service.selector):
                    ports = _service_ports(wanted, service, content)
                    if not wanted or ports:
                        yield _host(service.address, ports)


def _outside(block: Mapping[str, Any], ports: frozenset[Ports] | None) -> Iterator[Allow]:
    """Yield the rule for an ipBlock. Clusters have IPv4 only, so IPv6 ranges have no effect, as on EKS."""
    if ":" in block["cidr"]:
        return
    excepts = (IPv4Network(each, strict=False) for each in block.get("except") or [])
    network = IPv4Network(block["cidr"], strict=False)
    yield Allow(blocks=(Block(network=network, excepts=tuple(collapse_addresses(excepts))),), ports=ports)


def _host(address: str, ports: frozenset[Ports] | None) -> Allow:
    return Allow(blocks=(Block(network=IPv4Network(address)),), ports=ports)


def _namespaces(policy: Policy, peer: Mapping[str, Any], content: Content) -> set[str]:
    selector = peer.get("namespaceSelector")
    if selector is None:
        return {policy.namespace}
    return {each.name for each in content.namespaces if matches(selector, each.labels)}


def _selected(policy: Policy, peer: Mapping[str, Any], content: Content) -> Iterator[Pod]:
    namespaces = _namespaces(policy, peer, content)
    for pod in content.pods:
        if pod.namespace in namespaces and matches(peer.get("podSelector") or {}, pod.labels):
            yield pod


def _resolved(wanted: Iterable[Mapping[str, Any]], pod: Pod | None) -> frozenset[Ports] | None:
    """Return the ports of a rule, or None if the rule allows all.

    Named ports resolve to the pod's ports; a name that the pod does not have is left out.
    """
    found: set[Ports] = set()
    for each in wanted:
        protocol, port = each.get("protocol", "TCP"), each.get("port")
        if isinstance(port, str):
            number = next(
                (have.number for have in (pod.ports if pod else ()) if (have.name, have.protocol) == (port, protocol)),
                None,
            )
            if number is not None:
                found.add(Ports(protocol=protocol, first=number, last=number))
        else:
            found.add(Ports(protocol=protocol, first=port, last=each.get("endPort") or port))
    return frozenset(found) if wanted else None


def _service_ports(wanted: Iterable[Mapping[str, Any]], service: Service, content: Content) -> frozenset[Ports] | None:
    """Return the ports of a Service that lead to the pods' ports that a policy names."""
    found: set[Ports] = set()
    for each in wanted:
        protocol, port = each.get("protocol", "TCP"), each.get("port")
        if port is None:
            found.add(Ports(protocol=protocol))
            continue
        number = _leads_to(service, port, protocol, content)
        if number is not None:
            found.add(Ports(protocol=protocol, first=number, last=max(number, each.get("endPort") or 0)))
    return frozenset(found) if wanted else None


def _leads_to(service: Service, port: int | str, protocol: str, content: Content) -> int | None:
    ports = [each for each in service.ports if each.protocol == protocol]
    for each in ports:
        if each.target == port:
            return each.number
    behind = [
        pod
        for pod in content.pods
        if pod.namespace == service.namespace and matches({"matchLabels": service.selector}, pod.labels)
    ]
    for pod in behind:
        for have in pod.ports:
            if have.protocol == protocol and port in (have.name, have.number):
                for each in ports:
                    if each.target in (have.name, have.number):
                        return each.number
    return None


def _merged(found: Iterable[Allow]) -> tuple[Allow, ...]:
    """Merge the rules with the same ports into one each, in a stable order."""
    by_ports: dict[frozenset[Ports] | None, set[Block]] = {}
    for each in found:
        by_ports.setdefault(each.ports, set()).update(each.blocks)
    merged: list[Allow] = []
    for ports, blocks in by_ports.items():
        plain = collapse_addresses(block.network for block in blocks if not block.excepts)
        cut = sorted((block for block in blocks if block.excepts), key=str)
        merged.append(Allow(blocks=(*(Block(network=network) for network in plain), *cut), ports=ports))
    return tuple(sorted(merged, key=lambda each: (each.ports is not None, _order(each.ports))))


def _order(ports: frozenset[Ports] | None) -> list[tuple[str, int, int]]:
    return sorted((each.protocol, each.first or 0, each.last or 0) for each in ports or ())
