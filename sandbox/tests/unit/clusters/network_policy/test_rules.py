"""Every field of a NetworkPolicy has the same meaning as on EKS."""

from typing import Any

import pytest

from mlp_sandbox.clusters.network_policy.objects import Pod, Policy
from mlp_sandbox.clusters.network_policy.rules import rules_of
from sandbox.tests.unit.clusters.network_policy.content import (
    CLIENT,
    DNS,
    GUEST,
    ON_HOST,
    OTHER_WEB,
    WEB,
    content,
    policy,
    receives,
    sends,
)

OUTSIDE = "203.0.113.7"
WEB_SERVICE, DNS_SERVICE, API_SERVER = "172.20.0.80", "172.20.0.10", "172.20.0.1"
TO_DNS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


def ingress(*rules: dict[str, Any], **spec: Any) -> Policy:
    return policy({"policyTypes": ["Ingress"], "ingress": list(rules), **spec})


def egress(*rules: dict[str, Any], **spec: Any) -> Policy:
    return policy({"policyTypes": ["Egress"], "egress": list(rules), **spec})


def test_a_pod_that_no_policy_selects_receives_and_sends_all():
    elsewhere = policy({"policyTypes": ["Ingress", "Egress"]}, namespace="guests")
    other = policy({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress", "Egress"]})
    rules = rules_of(WEB, content(elsewhere, other))
    assert rules.ingress is None
    assert rules.egress is None


@pytest.mark.parametrize(
    ("spec", "closed"),
    [
        ({"policyTypes": ["Ingress", "Egress"]}, (True, True)),
        ({"policyTypes": ["Ingress"]}, (True, False)),
        ({"policyTypes": ["Egress"]}, (False, True)),
        ({}, (True, False)),
        ({"egress": []}, (True, False)),
        ({"egress": [{"ports": [{"port": 1}]}]}, (True, True)),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, (False, True)),
    ],
)
def test_policy_types_say_for_which_direction_a_policy_holds(spec: dict[str, Any], closed: tuple[bool, bool]):
    one = policy(spec)
    assert (not receives(WEB, OUTSIDE, 80, one), not sends(WEB, OUTSIDE, 80, one)) == closed


def test_pods_in_the_nodes_own_network_are_under_no_policy():
    rules = rules_of(ON_HOST, content(policy({"policyTypes": ["Ingress", "Egress"]})))
    assert (rules.ingress, rules.egress) == (None, None)


def test_a_rule_without_peers_and_ports_lets_everything_through():
    assert receives(WEB, OUTSIDE, 7, ingress({}), protocol="UDP")
    assert sends(WEB, OUTSIDE, 7, egress({}), protocol="UDP")
    assert receives(WEB, OUTSIDE, 7, ingress({"from": [], "ports": []}))


def test_what_one_of_several_policies_allows_passes():
    deny = policy({"policyTypes": ["Ingress", "Egress"]})
    assert receives(WEB, OUTSIDE, 8080, deny, ingress({"ports": [{"port": 8080}]}))
    assert not receives(WEB, OUTSIDE, 8081, deny, ingress({"ports": [{"port": 8080}]}))


PEERS: list[tuple[dict[str, Any], list[Pod]]] = [
    ({"podSelector": {}}, [WEB, OTHER_WEB, CLIENT, ON_HOST]),
    ({"podSelector": {"matchLabels": {"app": "client"}}}, [CLIENT]),
    ({"namespaceSelector": {}}, [WEB, OTHER_WEB, CLIENT, ON_HOST, GUEST, DNS]),
    ({"namespaceSelector": {"matchLabels": {"team": "guests"}}}, [GUEST]),
    ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "client"}}}, [CLIENT, GUEST]),
    (
        {
            "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
            "podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web", "agent"]}]},
        },
        [CLIENT, GUEST],
    ),
    ({"namespaceSelector": {"matchLabels": {"team": "nobody"}}}, []),
    ({"ipBlock": {"cidr": "100.64.2.0/24"}}, [OTHER_WEB, GUEST, DNS]),
    ({"ipBlock": {"cidr": "100.64.2.77/24", "except": ["100.64.2.4/30", "100.64.2.9/32"]}}, [OTHER_WEB]),
    ({"ipBlock": {"cidr": "fd00::/8"}}, []),
]


@pytest.mark.parametrize(("peer", "wanted"), PEERS)
def test_peers_are_pods_of_the_namespaces_or_ranges_of_addresses(peer: dict[str, Any], wanted: list[Pod]):
    addresses = {pod.address for pod in wanted}
    everybody = {pod.address for pod in content().pods}
    assert {each for each in everybody if receives(WEB, each, 80, ingress({"from": [peer]}))} == addresses
    assert {each for each in everybody if sends(WEB, each, 80, egress({"to": [peer]}))} == addresses


def test_one_of_several_peers_is_enough():
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "client"}}}, {"ipBlock": {"cidr": "203.0.113.0/24"}}]}
    assert receives(WEB, OUTSIDE, 80, ingress(rule))
    assert receives(WEB, CLIENT.address, 80, ingress(rule))
    assert not receives(WEB, GUEST.address, 80, ingress(rule))


@pytest.mark.parametrize(
    ("ports", "opened"),
    [
        ([{"port": 80}], {("TCP", 80)}),
        ([{"port": 80, "protocol": "UDP"}], {("UDP", 80)}),
        ([{"port": 80, "protocol": "SCTP"}], {("SCTP", 80)}),
        ([{"port": 79, "endPort": 81}], {("TCP", 79), ("TCP", 80), ("TCP", 81)}),
        ([{"protocol": "UDP"}], {("UDP", 79), ("UDP", 80), ("UDP", 81), ("UDP", 8080), ("UDP", 5353)}),
        ([{"port": 80}, {"port": 81, "protocol": "UDP"}], {("TCP", 80), ("UDP", 81)}),
    ],
)
def test_ports_are_those_of_their_protocol(ports: list[dict[str, Any]], opened: set[tuple[str, int]]):
    every = [(protocol, port) for protocol in ("TCP", "UDP", "SCTP") for port in (79, 80, 81, 8080, 5353)]

    def open_by(asks: Any, rule: Policy) -> set[tuple[str, int]]:
        return {(protocol, port) for protocol, port in every if asks(WEB, OUTSIDE, port, rule, protocol=protocol)}

    assert open_by(receives, ingress({"ports": ports})) == opened
    assert open_by(sends, egress({"ports": ports})) == opened


def test_a_named_port_is_what_the_receiving_pod_calls_so():
    named = ingress({"ports": [{"port": "http"}]})
    assert [receives(WEB, OUTSIDE, port, named) for port in (8080, 8000)] == [True, False]
    assert [receives(OTHER_WEB, OUTSIDE, port, named) for port in (8080, 8000)] == [False, True]
    assert not receives(CLIENT, OUTSIDE, 8080, named), "it has no such port: nothing is let through, and not all"
    assert not receives(WEB, OUTSIDE, 5353, ingress({"ports": [{"port": "dns"}]})), "it is a port of UDP"
    assert receives(WEB, OUTSIDE, 5353, ingress({"ports": [{"port": "dns", "protocol": "UDP"}]}), protocol="UDP")


def test_a_named_port_to_send_to_is_that_of_each_pod_and_of_no_range():
    to_pods = egress({"to": [{"podSelector": {}}], "ports": [{"port": "http"}]})
    assert sends(CLIENT, WEB.address, 8080, to_pods)
    assert not sends(CLIENT, WEB.address, 8000, to_pods)
    assert sends(CLIENT, OTHER_WEB.address, 8000, to_pods)
    to_range = egress({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": "http"}]})
    assert not sends(CLIENT, WEB.address, 8080, to_range)
    assert not sends(CLIENT, WEB.address, 8080, egress({"ports": [{"port": "http"}]}))
    both = egress({"ports": [{"port": "http"}, {"port": 443}]})
    assert [sends(CLIENT, WEB.address, port, both) for port in (8080, 443)] == [False, True]


def test_who_may_send_to_pods_may_send_to_the_services_that_select_them():
    to_dns = egress({"to": [TO_DNS], "ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]})
    for address in (DNS.address, DNS_SERVICE):
        assert sends(CLIENT, address, 53, to_dns, protocol="UDP")
        assert sends(CLIENT, address, 53, to_dns)
        assert not sends(CLIENT, address, 443, to_dns)
    assert not sends(CLIENT, WEB_SERVICE, 53, to_dns)
    assert not sends(CLIENT, API_SERVER, 443, to_dns)


@pytest.mark.parametrize("port", ["http", 8080])
def test_a_services_port_is_open_where_the_policy_names_the_pods_port(port: str | int):
    one = egress({"to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": port}]})
    assert sends(CLIENT, WEB_SERVICE, 80, one)
    assert not sends(CLIENT, WEB_SERVICE, 8080, one)


def test_the_number_of_the_services_own_port_opens_nothing():
    one = egress({"to": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 80}]})
    assert not sends(CLIENT, WEB_SERVICE, 80, one), "the VPC CNI looks for a port of the Service that leads to 80"


def test_a_range_of_the_pods_does_not_open_their_service():
    one = egress({"to": [{"ipBlock": {"cidr": "100.64.0.0/16"}}]})
    assert sends(CLIENT, WEB.address, 8080, one)
    assert not sends(CLIENT, WEB_SERVICE, 80, one)


def test_rules_are_the_same_in_whatever_order_objects_come():
    policies = [
        ingress({"ports": [{"port": "http"}]}),
        ingress({"from": [{"podSelector": {}}]}),
        egress({"to": [TO_DNS]}),
    ]
    forth, back = content(*policies), content(*reversed(policies))
    assert rules_of(WEB, forth) == rules_of(WEB, back)
