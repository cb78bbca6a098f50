"""Label selectors match the same objects as in Kubernetes."""

from typing import Any

import pytest

from mlp_sandbox.clusters.network_policy.selectors import matches

LABELS = {"app": "web", "tier": "front", "empty": ""}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({"matchLabels": {"other": ""}}, False),
        ({"matchLabels": {"empty": ""}}, True),
        (expression("app", "In", "api", "web"), True),
        (expression("app", "In", "api"), False),
        (expression("missing", "In", "x"), False),
        (expression("app", "NotIn", "api"), True),
        (expression("app", "NotIn", "web"), False),
        (expression("missing", "NotIn", "x"), True),
        (expression("tier", "Exists"), True),
        (expression("missing", "Exists"), False),
        (expression("tier", "DoesNotExist"), False),
        (expression("missing", "DoesNotExist"), True),
        ({"matchLabels": {"app": "web"}, **expression("tier", "In", "back")}, False),
        ({"matchLabels": {"app": "web"}, **expression("tier", "In", "front")}, True),
        ({"matchLabels": None, "matchExpressions": None}, True),
    ],
)
def test_a_selector_selects_what_meets_all_its_requirements(selector: dict[str, Any], wanted: bool):
    assert matches(selector, LABELS) is wanted


def test_an_operator_that_does_not_exist_is_an_error_that_names_those_that_do():
    with pytest.raises(ValueError, match=r"operator 'Like' .*In, NotIn, Exists and DoesNotExist"):
        matches(expression("app", "Like", "w"), LABELS)
