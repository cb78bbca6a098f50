"""Node objects of simulated nodes."""

from dataclasses import replace

import yaml

from mlp_sandbox.clusters.nodes import stages
from mlp_sandbox.clusters.nodes.nodes import wanted_nodes
from mlp_sandbox.clusters.nodes.simulated_nodes import ANNOTATION, has_capacity, manifest
from sandbox.tests.unit.clusters.clusters import GPU_TAINT, cluster, group, instance

MADE = cluster(group("l4", instance(0, "g6.xlarge"), taints=(GPU_TAINT,)))
[SPEC] = wanted_nodes(MADE, real_possible=False).specs


def test_what_amazons_images_keep_is_not_allocatable():
    status = manifest(SPEC)["status"]
    assert status["capacity"]["cpu"] == "4"
    assert status["allocatable"]["cpu"] == "3920m"  # 4 processors less 80 thousandths
    assert status["allocatable"]["memory"] == f"{SPEC.memory_mib - 255 - 11 * SPEC.max_pods - 100}Mi"
    assert status["allocatable"]["nvidia.com/gpu"] == "1"


def test_kwok_finds_the_node_by_its_annotation_and_pods_are_kept_off_by_its_taint():
    made = manifest(SPEC)
    assert made["metadata"]["annotations"] == {ANNOTATION: "fake"}
    assert made["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert made["status"]["addresses"][0] == {"type": "InternalIP", "address": SPEC.private_ip}


def test_numbers_in_another_spelling_are_the_same():
    found = manifest(replace(SPEC, memory_mib=16384))
    found["status"]["capacity"] |= {"memory": "16Gi", "cpu": "4000m", "ephemeral-storage": "107374182400"}
    assert has_capacity(replace(SPEC, memory_mib=16384), found)


def test_another_size_is_seen():
    assert not has_capacity(replace(SPEC, cpus=8), manifest(SPEC))
    assert not has_capacity(SPEC, {"status": {}})


def test_kwok_is_told_of_nodes_and_pods_in_documents_of_yaml():
    documents = list(yaml.safe_load_all(stages.configuration()))
    assert [each["metadata"]["name"] for each in documents] == ["node-ready", "pod-runs", "job-ends", "pod-ends"]
    assert all(each["kind"] == "Stage" for each in documents)
