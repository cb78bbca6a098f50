"""Final summary of `mlp sandbox demo`, computed from the engine's own documents."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mlp_sandbox.commands.demo import changes, count_by_component

STACK = {"urn": "urn::stack", "type": "pulumi:pulumi:Stack"}


def resource(urn: str, type: str, parent: str, custom: bool = True) -> dict[str, Any]:
    return {"urn": urn, "type": type, "parent": parent, "custom": custom}


def test_resources_are_counted_under_their_layer_and_component() -> None:
    resources = [
        STACK,
        resource("urn::environment", "mlops:index:Environment", "urn::stack", custom=False),
        resource("urn::foundation", "mlops:index:Foundation", "urn::environment", custom=False),
        resource("urn::network", "mlops:index:Network", "urn::foundation", custom=False),
        resource("urn::nat", "mlops:index:Nat", "urn::network", custom=False),
        resource("urn::vpc", "aws:ec2/vpc:Vpc", "urn::network"),
        resource("urn::eip", "aws:ec2/eip:Eip", "urn::nat"),
        resource("urn::provider", "mock:index:Provider", "urn::environment"),
    ]
    assert count_by_component(resources) == {
        "foundation / network": Counter({"Vpc": 1, "Eip": 1}),
        "environment": Counter({"Provider": 1}),
    }


def test_providers_are_not_counted_and_parentless_resources_belong_to_the_stack() -> None:
    resources = [
        STACK,
        resource("urn::aws", "pulumi:providers:aws", "urn::stack"),
        resource("urn::vpc", "aws:ec2/vpc:Vpc", "urn::stack"),
    ]
    assert count_by_component(resources) == {"(stack)": Counter({"Vpc": 1})}


def test_nothing_changed_is_said_in_words() -> None:
    assert changes({"same": 127, "create": 0}) == "No changes: all 127 resources are as they should be"


def test_changes_are_counted_by_what_was_done() -> None:
    assert changes({"same": 120, "update": 2, "create": 5}) == "5 created, 2 updated"
