"""The template of the node that a group would add."""

from decimal import Decimal
from typing import Any

import pytest

from mlp_sandbox.clusters.standins.cluster_autoscaler.groups import (
    Group,
    matches,
    similar,
    template_from_node,
    template_from_type,
    usable,
    with_daemon_sets,
)
from mlp_sandbox.clusters.standins.cluster_autoscaler.objects import Taint
from sandbox.tests.unit.clusters.standins.objects import GPU_TAINT, TOLERATION, make_group, make_node, make_pod

G6: dict[str, Any] = {
    "InstanceType": "g6.xlarge",
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    "VCpuInfo": {"DefaultVCpus": 4},
    "MemoryInfo": {"SizeInMiB": 16384},
    "GpuInfo": {"Gpus": [{"Count": 1}]},
}
PREFIX = "k8s.io/cluster-autoscaler/node-template"


def test_an_empty_group_is_described_by_its_type_its_node_group_and_its_tags() -> None:
    tags = {f"{PREFIX}/label/team": "vision", f"{PREFIX}/resources/ephemeral-storage": "200Gi"}
    tags |= {f"{PREFIX}/taint/dedicated": "training:NoExecute", f"{PREFIX}/taint/broken": "x"}
    group = Group(name="gpu", minimum=0, maximum=2, desired=0, zones=("us-east-1b",), tags=tags)
    node_group = {
        "nodegroupName": "gpu-l4",
        "capacityType": "SPOT",
        "labels": {"accelerator": "nvidia-l4"},
        "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
    }
    node = template_from_type(group, G6, node_group)
    assert node.labels["accelerator"] == "nvidia-l4"
    assert node.labels["team"] == "vision"
    assert node.labels["eks.amazonaws.com/capacityType"] == "SPOT"
    assert node.labels["kubernetes.io/arch"] == "amd64"
    assert node.labels["topology.kubernetes.io/zone"] == "us-east-1b"
    assert set(node.taints) == {GPU_TAINT, Taint(key="dedicated", value="training", effect="NoExecute")}
    assert node.allocatable["nvidia.com/gpu"] == 1
    assert node.allocatable["ephemeral-storage"] == 200 * 1024**3
    assert node.allocatable["memory"] == 16 * 1024**3


def test_accelerators_that_are_no_gpus_must_be_told_by_a_tag() -> None:
    trainium = {**G6, "InstanceType": "trn1.2xlarge", "GpuInfo": None}
    bare = Group(name="trn", minimum=0, maximum=1, desired=0)
    assert "aws.amazon.com/neuron" not in template_from_type(bare, trainium, None).allocatable
    tagged = Group(name="trn", minimum=0, maximum=1, desired=0, tags={f"{PREFIX}/resources/aws.amazon.com/neuron": "1"})
    assert template_from_type(tagged, trainium, None).allocatable["aws.amazon.com/neuron"] == 1


def test_a_node_of_the_group_lends_its_labels_but_not_its_name_or_passing_taints() -> None:
    passing = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")
    going = Taint(key="ToBeDeletedByClusterAutoscaler", value="1", effect="NoSchedule")
    node = make_node(labels={"kubernetes.io/hostname": "a", "pool": "gpu"}, taints=(GPU_TAINT, passing, going))
    template = template_from_node(node)
    assert template.labels == {"pool": "gpu"}
    assert template.taints == (GPU_TAINT,)


def test_daemon_sets_take_their_share_of_nodes_that_they_run_on() -> None:
    plugin = make_pod("plugin", {"cpu": "100m"}, owner="DaemonSet", tolerations=[TOLERATION])
    elsewhere = make_pod("elsewhere", {"cpu": "1"}, owner="DaemonSet")
    template = make_node(allocatable={"cpu": "4", "pods": "110"}, taints=(GPU_TAINT,))
    left = with_daemon_sets(template, [plugin, elsewhere]).allocatable
    assert left == {"cpu": Decimal("3.9"), "pods": Decimal(109)}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (make_node(), True),
        (make_node(ready=False), False),
        (make_node(taints=(Taint(key="node.kubernetes.io/not-ready", effect="NoSchedule"),)), False),
        (make_node(labels={"k8s.amazonaws.com/accelerator": "nvidia-l4"}), False),
        (
            make_node(allocatable={"nvidia.com/gpu": "1"}, labels={"k8s.amazonaws.com/accelerator": "nvidia-l4"}),
            True,
        ),
    ],
)
def test_a_node_counts_once_it_is_ready_with_what_its_label_promises(node: Any, expected: bool) -> None:
    assert usable(node) == expected


def test_groups_of_two_zones_are_similar_and_those_of_two_pools_are_not() -> None:
    size = {"cpu": "4", "memory": "16Gi"}
    first = make_group("a", size, labels={"topology.kubernetes.io/zone": "us-east-1a", "pool": "general"})
    second = make_group("b", size, labels={"topology.kubernetes.io/zone": "us-east-1b", "pool": "general"})
    assert similar(first, second)
    assert not similar(first, make_group("c", size, labels={"pool": "other"}))
    assert not similar(first, make_group("d", {"cpu": "8", "memory": "16Gi"}, labels={"pool": "general"}))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"enabled": "true", "ml": "owned"}, True),
        ({"enabled": "true"}, False),
        ({"enabled": "", "ml": "shared"}, False),
    ],
)
def test_a_group_is_ours_when_it_has_all_tags_of_a_flag(tags: dict[str, str], expected: bool) -> None:
    assert matches(tags, [{"enabled": None, "ml": "owned"}]) == expected
