"""Changes that the supervisor makes to a node, and fields that it leaves to others."""

from dataclasses import replace
from typing import Any

from mlp_sandbox.clusters.nodes.nodes import wanted_nodes
from mlp_sandbox.clusters.nodes.reconciler import MANAGED, is_ready, node_change, why_not_ready
from mlp_sandbox.clusters.nodes.simulated_nodes import manifest
from mlp_sandbox.contracts.desired import EksTaint
from sandbox.tests.unit.clusters.clusters import GPU_TAINT, cluster, group, instance

[SPEC] = wanted_nodes(
    cluster(group("l4", instance(0, "g6.xlarge"), taints=(GPU_TAINT,), labels={"pool": "l4"})), real_possible=False
).specs
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def settled() -> dict[str, Any]:
    found = manifest(SPEC)
    found["metadata"]["resourceVersion"] = "7"
    change = node_change(SPEC, found)
    assert change is not None
    found["metadata"]["annotations"] |= change["metadata"]["annotations"]
    return found


def test_a_node_as_it_shall_be_is_left_alone():
    assert node_change(SPEC, settled()) is None


def test_a_changed_label_of_the_group_changes_the_node_in_place():
    change = node_change(replace(SPEC, labels={**SPEC.labels, "pool": "new"}), settled())
    assert change == {"metadata": {"labels": {"pool": "new"}}}


def test_a_label_that_the_group_lost_goes_and_one_of_somebody_else_stays():
    found = settled()
    found["metadata"]["labels"]["by-hand"] = "stays"
    kept = {key: value for key, value in SPEC.labels.items() if key != "pool"}
    change = node_change(replace(SPEC, labels=kept), found)
    assert change is not None
    assert change["metadata"]["labels"] == {"pool": None}


def test_taints_of_kubernetes_itself_stay_when_those_of_the_group_change():
    found = settled()
    found["spec"]["taints"].append(NOT_READY)
    other = EksTaint(key="team", value="a", effect="NoExecute")
    change = node_change(replace(SPEC, taints=(other,)), found)
    assert change is not None
    assert change["spec"]["taints"] == [NOT_READY, {"key": "team", "value": "a", "effect": "NoExecute"}]
    assert change["metadata"]["resourceVersion"] == "7"


def test_a_taint_without_a_value_is_the_same_as_one_with_an_empty_value():
    found = settled()
    bare = replace(SPEC, taints=(EksTaint(key="nvidia.com/gpu", value="", effect="NoSchedule"),))
    found["spec"]["taints"] = [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]
    assert node_change(bare, found) is None


def test_a_kubelet_that_registered_without_provider_gets_one():
    found = settled()
    del found["spec"]["providerID"]
    assert node_change(SPEC, found) == {"spec": {"providerID": SPEC.provider_id}}


def test_a_damaged_note_of_what_is_managed_is_written_anew():
    found = settled()
    found["metadata"]["annotations"][MANAGED] = "[not json"
    change = node_change(SPEC, found)
    assert change is not None
    assert MANAGED in change["metadata"]["annotations"]


def test_a_node_that_is_not_ready_says_why():
    found = {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "no network yet"}]}}
    assert not is_ready(found)
    assert why_not_ready(found) == "no network yet"
    assert why_not_ready({}) == "it says nothing of itself yet"
