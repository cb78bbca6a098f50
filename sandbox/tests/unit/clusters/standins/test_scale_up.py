"""Choice of the groups that grow, and events for pods that no group can help."""

from dataclasses import replace
from typing import Any

import pytest

from mlp_sandbox.clusters.standins.cluster_autoscaler.flags import Options
from mlp_sandbox.clusters.standins.cluster_autoscaler.groups import Group
from mlp_sandbox.clusters.standins.cluster_autoscaler.scale_up import Decision, Room, decide, words
from sandbox.tests.unit.clusters.standins.objects import GPU_TAINT, TOLERATION, make_group, make_node, make_pod

GENERAL = make_group("general", {"cpu": "2", "memory": "8Gi"}, (1, 1, 4))
LARGE = make_group("large", {"cpu": "16", "memory": "64Gi"}, (0, 0, 4))
GPU = make_group("gpu", {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}, (0, 0, 2), taints=(GPU_TAINT,))


def sizes(decision: Decision) -> dict[str, int]:
    return {each.group.name: each.size for each in decision.increases}


def pods(count: int, requests: dict[str, str], **spec: Any) -> list[Any]:
    return [make_pod(f"pod-{number}", requests, **spec) for number in range(count)]


def test_a_group_grows_from_zero_by_what_the_pods_need() -> None:
    found = decide(pods(2, {"nvidia.com/gpu": "1"}, tolerations=[TOLERATION]), [], [GENERAL, GPU], Options())
    assert sizes(found) == {"gpu": 2}
    assert found.refused == {}


def test_small_pods_share_a_node() -> None:
    assert sizes(decide(pods(5, {"cpu": "900m"}), [], [GENERAL], Options())) == {"general": 4}


def test_a_pod_that_fits_on_a_node_that_is_there_or_coming_makes_nothing_grow() -> None:
    room = Room(node=make_node(), free=make_node().allocatable)
    assert sizes(decide(pods(2, {"cpu": "1"}), [room], [GENERAL], Options())) == {}
    assert sizes(decide(pods(3, {"cpu": "1"}), [room], [GENERAL], Options())) == {"general": 2}


def test_the_maximum_is_never_passed_and_the_rest_is_told_so() -> None:
    found = decide(pods(5, {"cpu": "2"}), [], [GENERAL], Options())
    assert sizes(found) == {"general": 4}
    assert [words(reasons) for reasons in found.refused.values()] == ["1 max node group size reached (general)"] * 2


def test_the_reason_of_every_group_is_told() -> None:
    found = decide(pods(1, {"nvidia.com/gpu": "1"}), [], [GENERAL, GPU, replace(LARGE, template=None)], Options())
    assert words(found.refused["pod-0"]) == (
        "1 Insufficient nvidia.com/gpu (general), "
        "1 node(s) had untolerated taint {nvidia.com/gpu: true} (gpu), "
        "1 unknown instance type or launch template (large)"
    )


def test_a_group_in_backoff_is_passed_over() -> None:
    found = decide(pods(1, {"cpu": "1"}), [], [GENERAL], Options(), unhelpful={"general": "in backoff"})
    assert sizes(found) == {}
    assert words(found.refused["pod-0"]) == "1 in backoff (general)"


def test_the_cluster_does_not_pass_its_total() -> None:
    found = decide(pods(3, {"cpu": "2"}), [], [GENERAL], Options(max_nodes_total=2))
    assert sizes(found) == {"general": 2}
    assert "max total nodes in cluster reached" in words(found.refused["pod-1"])


@pytest.mark.parametrize(
    ("expander", "expected"),
    [
        (("least-waste",), {"general": 3}),
        (("least-nodes",), {"large": 1}),
        (("most-pods", "least-nodes"), {"large": 1}),
        (("priority",), {"large": 1}),
    ],
)
def test_the_expander_chooses(expander: tuple[str, ...], expected: dict[str, int]) -> None:
    found = decide(
        pods(2, {"cpu": "2", "memory": "8Gi"}),
        [],
        [GENERAL, LARGE],
        Options(expander=expander),
        priorities={10: ["gen.*"], 50: ["^large$"]},
    )
    assert sizes(found) == expected


def test_similar_groups_grow_evenly_when_asked() -> None:
    zones: list[Group] = [make_group(name, {"cpu": "2", "memory": "8Gi"}) for name in ("a", "b", "c")]
    four = pods(4, {"cpu": "2"})
    assert sizes(decide(four, [], zones, Options(balance_similar_node_groups=True))) == {"a": 2, "b": 1, "c": 1}
    assert sizes(decide(four, [], zones, Options())) == {"a": 4}
