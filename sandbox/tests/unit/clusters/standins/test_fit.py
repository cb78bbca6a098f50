"""Scheduling fit of pods on nodes."""

from decimal import Decimal
from typing import Any

import pytest

from mlp_sandbox.clusters.standins.cluster_autoscaler.fit import SELECTOR, why_not
from mlp_sandbox.clusters.standins.cluster_autoscaler.objects import Taint, pod_requests
from sandbox.tests.unit.clusters.standins.objects import GPU_TAINT, TOLERATION, make_node, make_pod

GPUS = {"cpu": "4", "memory": "16Gi", "pods": "110", "nvidia.com/gpu": "1"}


def affinity(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = [{"matchExpressions": list(expressions)}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({}, "node(s) had untolerated taint {nvidia.com/gpu: true}"),
        ({"tolerations": [TOLERATION]}, None),
        ({"tolerations": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]}, None),
        ({"tolerations": [{"operator": "Exists"}]}, None),
        ({"tolerations": [{"key": "nvidia.com/gpu", "value": "false"}]}, "untolerated taint"),
        (
            {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoExecute"}]},
            "untolerated taint",
        ),
        ({"tolerations": [TOLERATION], "nodeSelector": {"accelerator": "nvidia-l4"}}, None),
        ({"tolerations": [TOLERATION], "nodeSelector": {"accelerator": "nvidia-t4"}}, SELECTOR),
        ({"tolerations": [TOLERATION], "affinity": affinity({"key": "accelerator", "operator": "Exists"})}, None),
        (
            {"tolerations": [TOLERATION], "affinity": affinity({"key": "zone", "operator": "In", "values": ["a"]})},
            SELECTOR,
        ),
        (
            {"tolerations": [TOLERATION], "affinity": affinity({"key": "zone", "operator": "NotIn", "values": ["a"]})},
            None,
        ),
        ({"tolerations": [TOLERATION], "affinity": affinity({"key": "gen", "operator": "Gt", "values": ["5"]})}, None),
        (
            {"tolerations": [TOLERATION], "affinity": affinity({"key": "gen", "operator": "Lt", "values": ["5"]})},
            SELECTOR,
        ),
        ({"tolerations": [TOLERATION], "affinity": affinity({"key": "gen", "operator": "DoesNotExist"})}, SELECTOR),
        ({"tolerations": [TOLERATION], "affinity": affinity()}, SELECTOR),
    ],
)
def test_taints_selectors_and_affinity_decide(spec: dict[str, Any], reason: str | None) -> None:
    node = make_node(allocatable=GPUS, labels={"accelerator": "nvidia-l4", "gen": "6"}, taints=(GPU_TAINT,))
    found = why_not(make_pod(requests={"nvidia.com/gpu": "1"}, **spec), node, node.allocatable)
    assert found == reason or (reason is not None and found is not None and reason in found)


def test_a_taint_that_only_prefers_keeps_nobody_away() -> None:
    node = make_node(taints=(Taint(key="mlp.sandbox/simulated", value="true", effect="PreferNoSchedule"),))
    assert why_not(make_pod(), node, node.allocatable) is None


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ({"cpu": "2", "memory": "8Gi"}, None),
        ({"cpu": "2001m"}, "Insufficient cpu"),
        ({"memory": "8.1Gi"}, "Insufficient memory"),
        ({"nvidia.com/gpu": "1"}, "Insufficient nvidia.com/gpu"),
    ],
)
def test_requests_must_fit_into_what_is_free(requests: dict[str, str], reason: str | None) -> None:
    node = make_node()
    assert why_not(make_pod(requests=requests), node, node.allocatable) == reason


def test_a_full_node_takes_no_pod_without_requests() -> None:
    assert why_not(make_pod(), make_node(), {"pods": Decimal(0)}) == "Too many pods"


def test_what_starts_before_counts_by_its_largest_and_side_cars_all_the_time() -> None:
    def container(cpu: str, **more: str) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec = {
        "containers": [container("1"), container("500m")],
        "initContainers": [container("1", restartPolicy="Always"), container("4")],
        "overhead": {"cpu": "100m"},
    }
    assert pod_requests(spec)["cpu"] == Decimal("5.1")
    assert pod_requests({**spec, "initContainers": []})["cpu"] == Decimal("1.6")
    assert pod_requests({**spec, "resources": {"requests": {"cpu": "8"}}})["cpu"] == Decimal("8.1")
