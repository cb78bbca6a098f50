"""Reordered lists and tables of the settings change nothing, except where AWS gives the order a meaning.

A list whose order AWS ignores must give the same program in every order. Otherwise a tidied stack file shows a change,
and some of those changes replace what is running.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from mlp.recording import Recorded, configuration, run_main
from stacks.settings import PlatformSettings, parse_settings
from tests.contract.programs import PLATFORM, STACKS

Path = tuple[str | int, ...]

# Why another order of a list is another environment, by the end of its path. Everything else has no order.
ORDER_MATTERS = {
    "instance_types": "On-Demand nodes are of the first type that can be had: "
    "https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html#managed-node-group-capacity-types",
    "thresholds_percent": "the settings take it in one order only",
    "forecast_percent": "the settings take it in one order only",
}
# Lists that no committed file fills with two values, so that each list of the schema is tried.
FILLED: dict[str, Any] = {
    "cluster.public_access": True,
    "cluster.api_cidrs": ["198.51.100.0/24", "203.0.113.0/24"],
    "cluster.private_cidrs": {"office": "10.201.0.0/16", "vpn": "10.200.0.0/16"},
    "cluster.log_types": ["api", "audit", "scheduler"],
    "cluster.teams": {
        "data-science": {"namespaces": ["data-science", "data-science-*"], "policy": "edit"},
        "vision": {"namespaces": ["vision", "vision-*"], "policy": "view"},
    },
    "cluster.general_pool.zones": ["us-east-1a", "us-east-1b"],
    "cluster.gpu_pools.spot": {
        "instance_types": ["g6.2xlarge", "g6.4xlarge", "g6.xlarge"],
        "accelerator": "nvidia-l4",
        "capacity": "spot",
        "max_size": 4,
        "labels": {"cost": "low", "use": "batch"},
        "taints": {"batch": "NoSchedule", "cheap": "PreferNoSchedule"},
    },
    "network.connections": {
        "corporate": {
            "gateway": "tgw-0123456789abcdef0",
            "cidrs": {"office": "10.201.0.0/16", "vpn": "10.200.0.0/16"},
        },
        "runners": {"gateway": "pcx-0123456789abcdef0", "cidrs": {"ci": "10.202.0.0/16", "spare": "10.203.0.0/16"}},
    },
    "network.interface_endpoints": ["ecr.api", "ecr.dkr", "sts"],
    "registry.repositories": ["mlflow", "runtime", "serving/base", "training/base"],
    "secrets.names": ["grafana/admin", "pager/key"],
    "identities.preview_branches": ["main", "release"],
    "notifications.emails": ["ana@acme.example", "ben@acme.example"],
}


# Either branches deploy or environments with reviewers.
DEPLOY = {
    False: {"identities.protected_branches": ["main", "release"]},
    True: {"identities.github_environments": ["blue", "green"]},
}


def filled(stack: str) -> dict[str, Any]:
    config = copy.deepcopy(configuration(stack))
    for path, value in {**FILLED, **DEPLOY[config[PLATFORM]["protect"]]}.items():
        *above, last = path.split(".")
        section = config[PLATFORM]
        for key in above:
            section = section.setdefault(key, {})
        section[last] = copy.deepcopy(value)
    return config


def collections(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every list and mapping, the outer ones first."""
    if isinstance(value, list | dict):
        yield path, value
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from collections(inner, (*path, key))


def reversed_lists(config: dict[str, Any], but: frozenset[str] = frozenset(ORDER_MATTERS)) -> dict[str, Any]:
    """Return the settings with each list and mapping reversed; in spot pools this includes lists of types."""
    turned = copy.deepcopy(config)
    for path, found in collections(turned[PLATFORM]):
        if isinstance(found, dict):
            items = list(found.items())
            found.clear()
            found.update(reversed(items))
        elif path[-1] not in but or "spot" in path:
            found.reverse()
    return turned


def graph(stack: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the engine receives for each resource, by its URN. The order of creation is ignored."""

    def told(each: Recorded) -> Any:
        return (plain(each.parent), plain(each.provider), each.protect, set(map(plain, each.depends_on)), each.inputs)

    return {plain(each.urn): told(each) for each in run_main(stack, config).resources}


def plain(reference: str) -> str:
    """Return type and name. The prefix belongs to the stack; a provider's suffix is its id in this run."""
    return "::".join(reference.split("::")[2:4])


@pytest.mark.parametrize("stack", STACKS)
def test_another_order_changes_nothing_where_aws_gives_the_order_no_meaning(stack: str):
    config = filled(stack)
    before, after = graph(stack, config), graph(stack, reversed_lists(config))
    changed = {urn.rsplit("::", 1)[-1] for urn in before.keys() | after.keys() if before.get(urn) != after.get(urn)}
    assert sorted(changed) == []


def test_every_list_of_the_settings_is_tried_or_has_a_reason():
    """A list that is added to the schema and to no example here would never be reversed."""
    tried = {
        path[-1]
        for stack in STACKS
        for path, found in collections(filled(stack)[PLATFORM])
        if isinstance(found, list) and len(found) > 1
    }
    assert lists_of(PlatformSettings) - tried - set(ORDER_MATTERS) == set()
    assert set(ORDER_MATTERS) <= lists_of(PlatformSettings)


def lists_of(model: Any) -> set[str]:
    schema = model.model_json_schema()
    sections = [schema, *schema.get("$defs", {}).values()]
    return {
        name
        for section in sections
        for name, field in section.get("properties", {}).items()
        if field.get("type") == "array"
    }


def test_the_types_of_on_demand_nodes_are_tried_in_the_order_of_the_settings():
    config = filled("dev")
    pool = config[PLATFORM]["cluster"]["general_pool"]
    pool["instance_types"] = ["m7i.large", "m7a.large"]
    types = group(run_main("dev", config).resources, "nodes-general")["instanceTypes"]
    pool["instance_types"] = ["m7a.large", "m7i.large"]
    assert types == ["m7i.large", "m7a.large"]
    assert group(run_main("dev", config).resources, "nodes-general")["instanceTypes"] == ["m7a.large", "m7i.large"]


def test_a_budgets_percentages_are_refused_in_another_order_and_the_right_one_is_named():
    config = filled("dev")
    config[PLATFORM]["budget"]["thresholds_percent"] = [100, 50]
    with pytest.raises(Exception, match=r"\[50, 100\]"):
        parse_settings(config[PLATFORM], "dev")


def group(resources: list[Recorded], name: str) -> dict[str, Any]:
    [found] = [each for each in resources if each.name == f"{name}-group"]
    return found.inputs
