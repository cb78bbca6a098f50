"""EKS node groups through their lives, against the emulated account, and the tags of their Auto Scaling groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox.providers.aws.provider import changed_inputs
from mlp_sandbox.providers.aws.resource import Aws, Props
from mlp_sandbox.providers.aws.services.autoscaling import Tag
from mlp_sandbox.providers.aws.services.ec2.launch_template import LaunchTemplate
from mlp_sandbox.providers.aws.services.eks.node_group import NodeGroup
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk
from sandbox.tests.unit.providers.eks_ground import Ground
from sandbox.tests.unit.providers.emulated import emulated

GPU_TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}
POOL: Props = {
    "clusterName": "ml",
    "nodeGroupName": "gpu",
    "nodeRoleArn": "arn:role",
    "subnetIds": ["a", "b"],
    "amiType": "AL2023_x86_64_NVIDIA",
    "capacityType": "ON_DEMAND",
    "instanceTypes": ["g6.xlarge"],
    "labels": {"accelerator": "nvidia-l4"},
    "launchTemplate": {"id": "lt-1", "version": "1"},
    "releaseVersion": "1.35.0-20251101",
    "scalingConfig": {"minSize": 0, "desiredSize": 0, "maxSize": 4},
    "taints": [GPU_TAINT],
}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with emulated(tmp_path_factory.mktemp("account")) as account:
        yield Ground(account)


@pytest.fixture(scope="module")
def cluster(ground: Ground) -> str:
    return ground.cluster("ml")


@pytest.fixture
def life(ground: Ground) -> Life:
    return ground.account.life(NodeGroup())


@pytest.fixture
def pool(ground: Ground, cluster: str) -> Props:
    """Return the minimal inputs of a node group."""
    return {
        "clusterName": cluster,
        "nodeRoleArn": ground.node_role,
        "subnetIds": ground.subnets[:2],
        "scalingConfig": {"minSize": 0, "desiredSize": 1, "maxSize": 3},
    }


@pytest.mark.parametrize("handler", [NodeGroup(), Tag()], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Any) -> None:
    assert_speaks_the_sdk(handler)


def test_a_pool_is_scaled_labelled_and_tainted_in_place(life: Life, pool: Props) -> None:
    inputs = {
        **pool,
        "nodeGroupName": "in-place",
        "labels": {"accelerator": "nvidia-l4", "pool": "gpu"},
        "taints": [GPU_TAINT, {"key": "spot", "effect": "PREFER_NO_SCHEDULE"}],
        "updateConfig": {"maxUnavailable": 1},
        "nodeRepairConfig": {"enabled": True},
        "tags": {"team": "ml"},
    }
    changed = {
        **inputs,
        "labels": {"accelerator": "nvidia-l40s"},
        "taints": [{**GPU_TAINT, "value": "false"}],
        "scalingConfig": {"minSize": 1, "desiredSize": 2, "maxSize": 5},
        "updateConfig": {"maxUnavailablePercentage": 33},
        "nodeRepairConfig": {"enabled": False},
        "tags": {"cost": "ml"},
    }
    bare = {key: value for key, value in changed.items() if key not in ("labels", "taints", "tags")}
    assert life.lives(inputs, changed, bare) == "ml:in-place"
    assert life.created == ["ml:in-place"]


def test_what_aws_chooses_is_no_drift(life: Life, pool: Props) -> None:
    id = life.lives({**pool, "nodeGroupName": "bare"})
    assert id == "ml:bare"


def test_spot_pools_have_several_types_in_order(life: Life, pool: Props) -> None:
    types = ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]
    spot = {"capacityType": "SPOT", "instanceTypes": types, "amiType": "AL2023_x86_64_NVIDIA"}
    life.lives({**pool, **spot, "nodeGroupName": "spot"})


def test_a_new_version_of_the_launch_template_is_rolled_out_in_place(ground: Ground, life: Life, pool: Props) -> None:
    templates = ground.account.life(LaunchTemplate())
    monitored = {"name": "nodes", "monitoring": {"enabled": True}}
    template = templates.create(**monitored)
    templates.update(template, monitored, {**monitored, "monitoring": {"enabled": False}})
    inputs = {**pool, "nodeGroupName": "templated", "launchTemplate": {"id": template, "version": "1"}}
    rolled = {**inputs, "launchTemplate": {"id": template, "version": "2"}}
    life.lives(inputs, rolled)
    named = {**inputs, "nodeGroupName": "named", "launchTemplate": {"name": "nodes", "version": "2"}}
    life.lives(named)


def test_the_release_of_the_image_is_changed_in_place(life: Life, pool: Props) -> None:
    found = life.live(life.create(**pool, nodeGroupName="released"), **pool)
    inputs = {**pool, "nodeGroupName": "released", "releaseVersion": found["releaseVersion"]}
    assert "releaseVersion" in found
    assert found["version"] == "1.35"
    life.reads_back("ml:released", inputs)


def test_the_size_that_an_autoscaler_chose_is_read(ground: Ground, life: Life, pool: Props) -> None:
    inputs = {**pool, "nodeGroupName": "scaled"}
    id = life.create(**inputs)
    group = life.live(id)["resources"][0]["autoscalingGroups"][0]["name"]
    ground.account.client("autoscaling").set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=3)
    assert life.live(id, **inputs)["scalingConfig"]["desiredSize"] == 3


def test_a_tag_of_the_group_behind_a_pool(ground: Ground, life: Life, pool: Props) -> None:
    id = life.create(**{**pool, "nodeGroupName": "tagged"})
    group = life.live(id)["resources"][0]["autoscalingGroups"][0]["name"]
    key = "k8s.io/cluster-autoscaler/node-template/label/accelerator"
    tag = {"key": key, "value": "nvidia-l4", "propagateAtLaunch": False}
    tags = ground.account.life(Tag())
    inputs = {"autoscalingGroupName": group, "tag": tag}
    assert tags.lives(inputs, {**inputs, "tag": {**tag, "value": "nvidia-t4"}}) == f"{group},{key}"
    tags.create(**inputs)
    life.delete(id)
    assert tags.read(f"{group},{key}", **inputs) is None
    tags.delete(f"{group},{key}", **inputs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", {"accelerator": "nvidia-l40s"}),
        ("taints", []),
        ("taints", [{"key": "nvidia.com/gpu", "effect": "NO_SCHEDULE"}]),
        ("scalingConfig", {"minSize": 0, "desiredSize": 0, "maxSize": 8}),
        ("launchTemplate", {"id": "lt-1", "version": "2"}),
        ("launchTemplate", {"id": "lt-1", "version": UNKNOWN}),
        ("launchTemplate", None),
        ("releaseVersion", "1.35.0-20251201"),
        ("version", "1.36"),
        ("updateConfig", {"maxUnavailable": 2}),
        ("tags", {"team": "ml"}),
    ],
)
def test_this_is_one_change_in_place(name: str, value: Any) -> None:
    assert _plan({name: value}) == {name: False}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("instanceTypes", ["g6e.xlarge"]),
        ("amiType", "AL2023_x86_64_STANDARD"),
        ("capacityType", "SPOT"),
        ("subnetIds", ["a"]),
        ("launchTemplate", {"id": "lt-2", "version": "1"}),
        ("launchTemplate", {"id": UNKNOWN, "version": UNKNOWN}),
        ("launchTemplate", {"name": "nodes", "version": "1"}),
        ("clusterName", "other"),
    ],
)
def test_this_replaces_the_pool(name: str, value: Any) -> None:
    assert _plan({name: value}) == {name: True}


def test_a_pool_without_a_launch_template_gets_one_by_replacement() -> None:
    before = {name: value for name, value in POOL.items() if name != "launchTemplate"}
    (change,) = changed_inputs(NodeGroup(), before, {}, POOL).values()
    assert change.replace


def test_a_launch_template_is_not_taken_away() -> None:
    with pytest.raises(ValueError, match="launchTemplate of ml:gpu: EKS takes none away"):
        NodeGroup().update(Aws("us-east-1"), "ml:gpu", POOL, {}, {"launchTemplate"})


def test_the_order_of_subnets_and_taints_means_nothing() -> None:
    taints = [{"key": "a", "effect": "NO_EXECUTE"}, GPU_TAINT]
    assert _plan({"subnetIds": ["b", "a"]}) == {}
    assert changed_inputs(NodeGroup(), {**POOL, "taints": taints}, {}, {**POOL, "taints": taints[::-1]}) == {}


def test_a_failed_pool_says_what_eks_says() -> None:
    issue = {"code": "AsgInstanceLaunchFailures", "message": "no g6.xlarge left", "resourceIds": ["eks-gpu"]}
    live = {"status": "CREATE_FAILED", "health": {"issues": [issue]}}
    said = r"AsgInstanceLaunchFailures: no g6.xlarge left \(eks-gpu\)"
    with pytest.raises(ValueError, match=rf"node group x ended in status 'CREATE_FAILED' .*: {said}"):
        NodeGroup().settle(Aws("us-east-1"), "EKS node group x", lambda: live, ("ACTIVE",), ("CREATE_FAILED",))


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    check = NodeGroup().check
    assert check(POOL) == []
    spelt = {**POOL, "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}
    assert "NO_SCHEDULE" in dict(check(spelt))["taints"]
    sizes = {**POOL, "scalingConfig": {"minSize": 2, "desiredSize": 1, "maxSize": 4}}
    assert "minSize <= desiredSize" in dict(check(sizes))["scalingConfig"]
    assert "ON_DEMAND, SPOT" in dict(check({**POOL, "capacityType": "spot"}))["capacityType"]
    both = {**POOL, "launchTemplate": {"id": "lt-1", "name": "nodes", "version": "1"}}
    assert "one of id and name" in dict(check(both))["launchTemplate"]
    assert "blockDeviceMappings" in dict(check({**POOL, "diskSize": 50}))["diskSize"]
    assert "one of maxUnavailable" in dict(check({**POOL, "updateConfig": {}}))["updateConfig"]
    assert "warm pools" in dict(check({**POOL, "warmPoolConfig": {"minSize": 1}}))["warmPoolConfig"]
    assert "lacks value" in dict(Tag().check({"tag": {"key": "a", "propagateAtLaunch": True}}))["tag"]
    with pytest.raises(ValueError, match="not of the form cluster-name:node-group-name"):
        NodeGroup().read(Aws("us-east-1"), "gpu", {})


def test_values_that_are_not_known_yet_pass() -> None:
    unknown = dict.fromkeys(("taints", "labels", "scalingConfig", "launchTemplate", "updateConfig"), UNKNOWN)
    assert NodeGroup().check({**POOL, **unknown, "clusterName": UNKNOWN}) == []
    template = {"id": UNKNOWN, "version": UNKNOWN}
    assert NodeGroup().check({**POOL, "launchTemplate": template, "taints": [{**GPU_TAINT, "effect": UNKNOWN}]}) == []
    assert Tag().check({"autoscalingGroupName": UNKNOWN, "tag": UNKNOWN}) == []


def _plan(change: Props) -> dict[str, bool]:
    """Return the changed inputs, each with whether it replaces the node group."""
    new = {name: value for name, value in {**POOL, **change}.items() if value is not None}
    return {name: found.replace for name, found in changed_inputs(NodeGroup(), POOL, {}, new).items()}
