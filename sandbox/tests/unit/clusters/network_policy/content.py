"""A cluster to compute rules for, and checks of the traffic that the rules allow."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Any

from mlp_sandbox.clusters.network_policy.objects import Content, NamedPort, Namespace, Pod, Policy, Service, ServicePort
from mlp_sandbox.clusters.network_policy.rules import Allow, rules_of

WEB = Pod(
    namespace="shop",
    name="web",
    address="100.64.1.2",
    labels={"app": "web"},
    node="one",
    ports=(
        NamedPort(name="http", number=8080, protocol="TCP"),
        NamedPort(name="metrics", number=9102, protocol="TCP"),
        NamedPort(name="dns", number=5353, protocol="UDP"),
    ),
)
OTHER_WEB = Pod(
    namespace="shop",
    name="web-old",
    address="100.64.2.3",
    labels={"app": "web"},
    node="two",
    ports=(NamedPort(name="http", number=8000, protocol="TCP"),),
)
CLIENT = Pod(namespace="shop", name="client", address="100.64.1.4", labels={"app": "client"}, node="one")
GUEST = Pod(namespace="guests", name="guest", address="100.64.2.5", labels={"app": "client"}, node="two")
ON_HOST = Pod(
    namespace="shop", name="agent", address="10.10.0.11", labels={"app": "agent"}, node="one", host_network=True
)
DNS = Pod(namespace="kube-system", name="dns", address="100.64.2.9", labels={"k8s-app": "kube-dns"}, node="two")
PODS = (WEB, OTHER_WEB, CLIENT, GUEST, ON_HOST, DNS)
NAMESPACES = (
    Namespace(name="shop", labels={"kubernetes.io/metadata.name": "shop", "team": "shop"}),
    Namespace(name="guests", labels={"kubernetes.io/metadata.name": "guests", "team": "guests"}),
    Namespace(name="kube-system", labels={"kubernetes.io/metadata.name": "kube-system"}),
)
SERVICES = (
    Service(
        namespace="shop",
        address="172.20.0.80",
        selector={"app": "web"},
        ports=(ServicePort(number=80, target="http", protocol="TCP"),),
    ),
    Service(
        namespace="kube-system",
        address="172.20.0.10",
        selector={"k8s-app": "kube-dns"},
        ports=tuple(ServicePort(number=53, target=53, protocol=protocol) for protocol in ("UDP", "TCP")),
    ),
    Service(
        namespace="default",
        address="172.20.0.1",
        selector={},
        ports=(ServicePort(number=443, target=443, protocol="TCP"),),
    ),
)


def policy(spec: dict[str, Any], namespace: str = "shop", name: str = "policy") -> Policy:
    return Policy(namespace=namespace, name=name, spec=spec)


def content(*policies: Policy) -> Content:
    return Content(policies=policies, pods=PODS, namespaces=NAMESPACES, services=SERVICES)


def passes(allowed: Iterable[Allow] | None, address: str, port: int, protocol: str = "TCP") -> bool:
    """Return whether the rules allow traffic to that address."""
    if allowed is None:
        return True
    return any(_holds(each, address) and _is_open(each, port, protocol) for each in allowed)


def receives(pod: Pod, address: str, port: int, *policies: Policy, protocol: str = "TCP") -> bool:
    return passes(rules_of(pod, content(*policies)).ingress, address, port, protocol)


def sends(pod: Pod, address: str, port: int, *policies: Policy, protocol: str = "TCP") -> bool:
    return passes(rules_of(pod, content(*policies)).egress, address, port, protocol)


def _holds(each: Allow, address: str) -> bool:
    there = IPv4Address(address)
    return any(there in block.network and not any(there in gone for gone in block.excepts) for block in each.blocks)


def _is_open(each: Allow, port: int, protocol: str) -> bool:
    return each.ports is None or any(
        have.protocol == protocol and (have.first is None or have.first <= port <= (have.last or 0))
        for have in each.ports
    )
