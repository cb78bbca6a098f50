"""The autoscaler's command line."""

import pytest

from mlp_sandbox.clusters.standins.cluster_autoscaler.durations import parse_duration
from mlp_sandbox.clusters.standins.cluster_autoscaler.flags import FlagError, NodeGroupRange, parse

BASE = ["--cloud-provider=aws", "--nodes=0:4:gpu"]


def test_the_flags_of_a_usual_manifest_are_understood() -> None:
    options = parse(
        [
            "--v=4",
            "--stderrthreshold=info",
            "--cloud-provider=aws",
            "--skip-nodes-with-local-storage=false",
            "--expander=priority,least-waste",
            "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/ml=owned",
            "--balance-similar-node-groups",
            "--scale-down-unneeded-time=1m30s",
            "--scale-down-utilization-threshold",
            "0.65",
        ]
    )
    assert options.discovery == ({"k8s.io/cluster-autoscaler/enabled": None, "k8s.io/cluster-autoscaler/ml": "owned"},)
    assert options.expander == ("priority", "least-waste")
    assert not options.skip_nodes_with_local_storage
    assert options.balance_similar_node_groups
    assert options.scale_down_unneeded_time == 90
    assert options.scale_down_utilization_threshold == 0.65
    assert options.ignored == ("stderrthreshold", "v")


def test_groups_may_be_named_one_by_one() -> None:
    options = parse([*BASE, "--nodes=1:2:general"])
    assert options.nodes == (
        NodeGroupRange(minimum=0, maximum=4, name="gpu"),
        NodeGroupRange(minimum=1, maximum=2, name="general"),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nodes=0:4:gpu"], "--cloud-provider=: this program knows only aws"),
        (["--cloud-provider=azure", "--nodes=0:4:gpu"], "--cloud-provider=azure"),
        (["--cloud-provider=aws"], "no node groups"),
        ([*BASE, "--scale-down-uneeded-time=1m"], "unknown flag: --scale-down-uneeded-time"),
        ([*BASE, "--scan-interval=10"], "--scan-interval=10: '10' is no duration"),
        ([*BASE, "--scan-interval"], "--scan-interval needs a value"),
        ([*BASE, "--expander=cheapest"], "no expander 'cheapest'"),
        ([*BASE, "--expander=price"], "price is not available here"),
        ([*BASE, "--max-nodes-total=many"], "--max-nodes-total=many"),
        ([*BASE, "--balance-similar-node-groups=maybe"], "write true or false"),
        ([*BASE, "--nodes=4:0:gpu"], "write <min>:<max>"),
        ([*BASE, "--node-group-auto-discovery=mig:namePrefix=x"], "write asg:tag="),
        ([*BASE, "--node-group-auto-discovery=asg:tag="], "write asg:tag="),
        ([*BASE, "--node-group-auto-discovery=asg:tag=a,,b"], "a tag without key"),
        ([*BASE, "stray"], "'stray' is no flag"),
    ],
)
def test_a_wrong_flag_is_named_with_what_would_do(arguments: list[str], message: str) -> None:
    with pytest.raises(FlagError) as caught:
        parse(arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10m", 600), ("1h2m3s", 3723), ("500ms", 0.5), ("0", 0), ("1.5h", 5400), ("0s", 0)]
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "10 m", "5x", "1m30"])
def test_what_go_refuses_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)
