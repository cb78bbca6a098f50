"""Managed node groups that EKS would reject; a rejected request leaves nothing behind."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.eks_world import World, trust


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nodegroupName": "no spaces"}, "The name 'no spaces' is invalid"),
        ({"subnets": ["subnet-0"]}, "The subnet ID 'subnet-0' does not exist"),
        ({"instanceTypes": ["m99.large"]}, "do not exist: [m99.large]"),
        ({"instanceTypes": ["m7g.large"]}, "[m7g.large] is not a valid instance type for requested amiType"),
        ({"amiType": "AL2023_x86_64_NVIDIA"}, "[m6i.large] is not a valid instance type for requested amiType"),
        ({"amiType": "AL2_x86_64"}, "only supported for kubernetes versions 1.32 or earlier"),
        ({"amiType": "BOTTLEROCKET_x86_64"}, "is not emulated by the local AWS account; use one of"),
        ({"version": "1.35"}, "it must be the version of the cluster, 1.36"),
        ({"releaseVersion": "1.36.0-latest"}, "is not valid for kubernetes version 1.36"),
        ({"labels": {"kubernetes.io/role": "x"}}, "Label cannot contain reserved prefixes"),
        ({"labels": {"a": "b c"}}, "a=b c is not a valid Kubernetes label"),
        ({"taints": [{"key": "a", "effect": "NO_SCHEDULE"}] * 2}, "taint a with effect NO_SCHEDULE is given twice"),
        ({"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 3}}, "Minimum capacity 3 can't be greater"),
        ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 1}}, "cannot be given together"),
        ({"nodeRole": "arn:aws:iam::123456789012:role/nobody"}, "The role with name nobody cannot be found"),
        ({"capacityType": "CAPACITY_BLOCK"}, "needs a launch template with the market type capacity-block"),
        ({"launchTemplate": {"id": "lt-0"}}, "Launch template lt-0 is not valid"),
    ],
)
def test_a_node_group_that_eks_would_refuse_is_refused_by_name(world: World, changes: dict[str, Any], message: str):
    world.cluster()
    with pytest.raises(ClientError) as caught:
        world.node_group(**changes)
    assert message in caught.value.response["Error"]["Message"]
    assert world.eks.list_nodegroups(clusterName="ml")["nodegroups"] == []
    assert world.instances() == []


def test_a_taint_in_kubernetes_spelling_is_refused(world: World):
    world.cluster()
    with pytest.raises(ClientError, match="EKS spells effects NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE"):
        world.node_group(taints=[{"key": "a", "effect": "NoSchedule"}])


def test_what_a_launch_template_says_is_not_said_again(world: World):
    world.cluster()
    typed = world.launch_template("typed", InstanceType="m6i.xlarge")
    with pytest.raises(ClientError, match="Cannot specify instance types in launch template and API request"):
        world.node_group(launchTemplate=typed)
    with pytest.raises(ClientError, match="Disk size must be specified within the launch template"):
        world.node_group(launchTemplate=world.launch_template(), diskSize=100)
    group = world.eks.create_nodegroup(
        clusterName="ml", nodegroupName="typed", subnets=world.subnets, nodeRole=world.node_role, launchTemplate=typed
    )["nodegroup"]
    assert "instanceTypes" not in group
    assert {instance["InstanceType"] for instance in world.instances()} == {"m6i.xlarge"}


def test_a_role_that_ec2_may_not_assume_has_no_nodes(world: World):
    world.cluster()
    wrong = world.role("wrong", trust("eks.amazonaws.com"))
    with pytest.raises(ClientError, match=r"required service principals \[ec2.amazonaws.com\] were not found"):
        world.node_group(nodeRole=wrong)


def test_a_capacity_block_needs_its_reservation_in_the_launch_template(world: World):
    world.cluster()
    block = world.launch_template(
        "block",
        InstanceMarketOptions={"MarketType": "capacity-block"},
        CapacityReservationSpecification={
            "CapacityReservationTarget": {"CapacityReservationId": "cr-0123456789abcdef0"}
        },
    )
    world.node_group(
        "block",
        amiType="AL2023_x86_64_NVIDIA",
        capacityType="CAPACITY_BLOCK",
        instanceTypes=["p5.48xlarge"],
        launchTemplate=block,
        scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0},
    )
    assert world.described("block")["capacityType"] == "CAPACITY_BLOCK"
