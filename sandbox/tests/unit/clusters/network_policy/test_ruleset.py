"""Rules compile to an nftables table that blocks the right traffic; equal rules give equal tables."""

from typing import Any

import pytest

from mlp_sandbox.clusters.network_policy.objects import Content, Policy
from mlp_sandbox.clusters.network_policy.rules import rules_of
from mlp_sandbox.clusters.network_policy.ruleset import AwsEndpoint, reaches_aws, ruleset
from sandbox.tests.unit.clusters.network_policy.content import CLIENT, WEB, content, policy

AWS = AwsEndpoint(address="198.18.3.1", port=4566)
DENY = policy({"policyTypes": ["Ingress", "Egress"]})


def table(made: Content, *pods: Any) -> str:
    return ruleset([(pod, rules_of(pod, made)) for pod in pods], node_address="10.10.0.11", aws=AWS)


def lines(text: str, having: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if having in line]


def egress(*to: dict[str, Any], **rule: Any) -> Policy:
    return policy({"policyTypes": ["Egress"], "egress": [{**({"to": list(to)} if to else {}), **rule}]})


def test_the_table_takes_the_place_of_the_one_before():
    text = table(content())
    assert text.startswith("table ip network-policies\ndelete table ip network-policies\ntable ip network-policies {\n")
    assert "drop" not in text


def test_only_pods_under_a_policy_are_looked_at():
    web_only = policy({"podSelector": {"matchLabels": {"app": "web"}}})
    [jump] = lines(table(content(web_only), WEB, CLIENT), "ip daddr vmap")
    assert WEB.address in jump
    assert CLIENT.address not in jump
    assert lines(table(content(web_only), WEB, CLIENT), "ip saddr vmap") == []


def test_pods_with_the_same_rules_share_a_chain():
    text = table(content(DENY), WEB, CLIENT)
    assert len(lines(text, "chain egress-")) == len(lines(text, "chain ingress-")) == 1
    assert lines(text, "ip saddr . ip daddr") == [
        "ip saddr . ip daddr { 100.64.1.2 . 100.64.1.2, 100.64.1.4 . 100.64.1.4 } accept"
    ]


def test_ports_and_addresses_are_sets_without_overlaps():
    rule = {"ports": [{"port": 80}, {"port": 79, "endPort": 90}, {"port": 85, "endPort": 99}, {"port": 443}]}
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.1.2.0/24", "10.3.0.0/16"]}}
    text = table(content(egress({"podSelector": {"matchLabels": {"app": "web"}}}, block, **rule)), CLIENT)
    ports = "tcp dport { 79-99, 443 } accept"
    assert lines(text, "79-99") == [
        f"ip daddr {{ 100.64.1.2, 100.64.2.3 }} {ports}",
        f"ip daddr 10.0.0.0/8 ip daddr != {{ 10.1.0.0/16, 10.3.0.0/16 }} {ports}",
    ]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({}, "accept"),
        ({"ports": [{"protocol": "UDP"}]}, "meta l4proto udp accept"),
        ({"ports": [{"port": 9, "protocol": "SCTP"}]}, "sctp dport { 9 } accept"),
    ],
)
def test_what_is_not_restricted_is_not_asked_for(rule: dict[str, Any], wanted: str):
    text = table(content(policy({"ingress": [rule]})), WEB)
    assert lines(text.partition("chain ingress-")[2].partition("}\n\tchain")[0], "accept")[0] == wanted


@pytest.mark.parametrize(
    ("to", "ports", "wanted"),
    [
        ([], None, True),
        ([], [{"port": 443}], True),
        ([], [{"port": 400, "endPort": 500}], True),
        ([], [{"protocol": "TCP"}], True),
        ([], [{"port": 443, "protocol": "UDP"}], False),
        ([], [{"port": 4566}], False),
        ([{"ipBlock": {"cidr": "0.0.0.0/0"}}], [{"port": 443}], True),
        ([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "169.254.169.254/32"]}}], [{"port": 443}], True),
        ([{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["0.0.0.0/1", "128.0.0.0/1"]}}], None, False),
        ([{"ipBlock": {"cidr": "52.94.0.0/22"}}], [{"port": 443}], True),
        ([{"ipBlock": {"cidr": "10.10.0.0/16"}}], [{"port": 443}], False),
        ([{"ipBlock": {"cidr": "198.18.3.1/32"}}], [{"port": 4566}], False),
        ([{"podSelector": {}}], None, False),
    ],
)
def test_the_emulated_aws_is_reached_by_whom_aws_itself_would_be(to: list[Any], ports: list[Any] | None, wanted: bool):
    made = content(egress(*to, **({"ports": ports} if ports else {})))
    allowed = rules_of(CLIENT, made).egress
    assert allowed is not None
    assert reaches_aws(allowed) is wanted
    chain = table(made, CLIENT).partition("chain egress-")[2].splitlines()
    assert chain[1].strip() == f"ip daddr 198.18.3.1 tcp dport 4566 {'accept' if wanted else 'drop'}"


def test_the_same_rules_make_the_same_table():
    one, other = egress({"podSelector": {}}), egress({"ipBlock": {"cidr": "10.0.0.0/8"}}, ports=[{"port": 1}])
    assert table(content(one, other), WEB, CLIENT) == table(content(other, one), CLIENT, WEB)
