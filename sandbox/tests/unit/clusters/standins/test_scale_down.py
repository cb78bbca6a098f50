"""Choice of the nodes that the autoscaler removes."""

from typing import Any

import pytest

from mlp_sandbox.clusters.standins.cluster_autoscaler.flags import Options
from mlp_sandbox.clusters.standins.cluster_autoscaler.objects import SAFE_TO_EVICT, SCALE_DOWN_DISABLED
from mlp_sandbox.clusters.standins.cluster_autoscaler.scale_down import Unneeded, utilization, why_needed
from mlp_sandbox.clusters.standins.cluster_autoscaler.scale_up import Room
from sandbox.tests.unit.clusters.standins.objects import make_group, make_node, make_pod

ELSEWHERE = Room(node=make_node("other"), free=make_node().allocatable)
SCRATCH = [{"name": "scratch", "emptyDir": {}}]


def on_node(owner: str | None = "ReplicaSet", cpu: str = "100m", **more: Any) -> Any:
    return make_pod("there", {"cpu": cpu}, owner=owner, phase=more.pop("phase", "Running"), **more)


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        ([], None),
        ([on_node("DaemonSet")], None),
        ([on_node(phase="Succeeded", owner=None)], None),
        ([on_node()], None),
        ([on_node(owner=None)], "not replicated"),
        ([on_node(owner=None, annotations={SAFE_TO_EVICT: "true"})], None),
        ([on_node(annotations={SAFE_TO_EVICT: "false"})], f"annotation {SAFE_TO_EVICT}=false"),
        ([on_node(owner="TrainingRun")], "owned by a TrainingRun"),
        ([on_node(namespace="kube-system")], "a pod of kube-system"),
        ([on_node(volumes=SCRATCH)], "local storage"),
        ([on_node(cpu="1")], "utilization 0.50"),
        ([on_node(nodeSelector={"zone": "b"})], "no place to move to"),
    ],
)
def test_a_node_stays_for_what_is_on_it(pods: list[Any], reason: str | None) -> None:
    found = why_needed(make_node(), pods, [ELSEWHERE], Options())
    assert found == reason or (reason is not None and found is not None and found.endswith(reason))


def test_flags_let_pods_go_that_would_stay() -> None:
    relaxed = Options(skip_nodes_with_local_storage=False, skip_nodes_with_system_pods=False)
    assert why_needed(make_node(), [on_node(volumes=SCRATCH, namespace="kube-system")], [ELSEWHERE], relaxed) is None


def test_an_annotation_keeps_a_node() -> None:
    kept = make_node(annotations={SCALE_DOWN_DISABLED: "true"})
    assert why_needed(kept, [], [], Options()) == f"annotation {SCALE_DOWN_DISABLED}"


def test_of_a_gpu_node_only_the_gpus_count() -> None:
    node = make_node(allocatable={"cpu": "4", "memory": "16Gi", "pods": "110", "nvidia.com/gpu": "4"})
    assert utilization(node, [make_pod("busy", {"cpu": "4"})]) == 0
    assert utilization(node, [make_pod("training", {"nvidia.com/gpu": "3"})]) == 0.75


def test_a_node_is_due_after_its_time_and_never_below_the_minimum() -> None:
    group = make_group("general", {"cpu": "2"}, (1, 3, 5))
    groups = {name: group for name in ("a", "b", "c")}
    unneeded, options = Unneeded(), Options(scale_down_unneeded_time=60)
    unneeded.update(["a"], 0)
    unneeded.update(["a", "b", "c"], 30)
    assert unneeded.due(groups, 0, options, 59) == []
    assert unneeded.due(groups, 0, options, 60) == ["a"]
    assert unneeded.due(groups, 0, options, 90) == ["a", "b"], "one of three is the minimum"
    assert unneeded.due(groups, 10, options, 90) == [], "as many as may go at a time are going"
    unneeded.update(["b"], 91)
    unneeded.update(["a", "b"], 92)
    assert unneeded.due(groups, 0, options, 95) == ["b"], "a was needed in between"
