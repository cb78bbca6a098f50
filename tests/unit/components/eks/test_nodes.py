"""Node groups: launch templates, labels and taints, and tags for the autoscaler."""

import base64
from typing import Any

import pytest

from components.eks.arguments import NodeGroupArgs, NodePool
from components.eks.node_config import node_config, user_data
from components.eks.node_groups import TEMPLATE_TAG, NodeGroup, autoscaling_tags
from components.eks.node_role import NodeRole, NodeRoleArgs
from components.eks.pool_spec import NodePoolSpec
from mlp.recording import Deploy, Recorded, RecordingCloud
from tests.unit.components.eks.specs import POOL, pool_spec, refusal
from tests.unit.components.policies import ACCOUNT, given, statements

GROUP, TEMPLATE = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/launchTemplate:LaunchTemplate"
BLOCK: dict[str, Any] = {
    "instance_types": ("p5.48xlarge",),
    "accelerator": "nvidia-h100",
    "capacity": "capacity_block",
    "capacity_reservation": "cr-0123456789abcdef0",
    "zones": ("us-east-1a",),
}


def pool(**changes: Any) -> NodePool:
    return NodePool(
        name="l4", spec=pool_spec(**changes), default_zones=("us-east-1a", "us-east-1b"), default_version="1.36"
    )


def nodes(deploy: Deploy, made: NodePool | None = None, **changes: Any) -> RecordingCloud:
    defaults = {
        "cluster_name": "ml-platform-test-eks",
        "pool": made or pool(),
        "subnets": {"us-east-1a": "subnet-a", "us-east-1b": "subnet-b"},
        "vpc_id": "vpc-1",
        "cluster_security_group_id": "sg-cluster",
        "role_arn": "arn:node-role",
        "volume_key_arn": "arn:data-key",
        "tags": {"project": "ml-platform", "environment": "test"},
        "pods_per_node": 110,
    }
    _, cloud = deploy(lambda: NodeGroup("nodes-l4", NodeGroupArgs(**given(defaults, changes))))
    return cloud


def only(cloud: RecordingCloud, token: str) -> Recorded:
    [found] = cloud.of_type(token)
    return found


def test_a_group_starts_its_pinned_image_from_its_own_template(deploy: Deploy):
    group = only(nodes(deploy), GROUP).inputs
    assert group["amiType"] == "AL2023_x86_64_NVIDIA"
    assert group["releaseVersion"].startswith("1.36.")
    assert group["launchTemplate"] == {"id": "nodes-l4-template-id", "version": "1"}
    assert group["instanceTypes"] == ["g6.xlarge", "g6.2xlarge"]
    assert group["subnetIds"] == ["subnet-a", "subnet-b"]


def test_its_size_is_the_autoscalers_business_between_the_limits(deploy: Deploy):
    group = only(nodes(deploy, pool(min_size=1)), GROUP)
    assert group.inputs["scalingConfig"] == {"minSize": 1, "maxSize": 4, "desiredSize": 1}
    assert group.ignore_changes == ("scalingConfig.desiredSize",)


def test_nodes_lag_behind_where_the_pool_says_so(deploy: Deploy):
    group = only(nodes(deploy, pool(version="1.35")), GROUP).inputs
    assert group["version"] == "1.35"
    assert group["releaseVersion"].startswith("1.35.")


def test_spot_is_asked_for_by_name(deploy: Deploy):
    assert only(nodes(deploy, pool(capacity="spot")), GROUP).inputs["capacityType"] == "SPOT"


def test_the_disk_has_the_size_that_was_asked_for(deploy: Deploy):
    [mapping] = only(nodes(deploy, pool(disk_gb=250)), TEMPLATE).inputs["blockDeviceMappings"]
    assert mapping["ebs"]["volumeSize"] == 250


def test_without_a_wish_nodes_have_no_efa_no_placement_group_and_no_reservation(deploy: Deploy):
    cloud = nodes(deploy)
    unasked = {
        *("networkInterfaces", "placement", "capacityReservationSpecification"),
        *("instanceMarketOptions", "instanceType", "vpcSecurityGroupIds", "imageId"),
    }
    assert not unasked & set(only(cloud, TEMPLATE).inputs)
    assert cloud.of_type("aws:ec2/placementGroup:PlacementGroup") == []


@pytest.mark.parametrize(
    ("types", "accelerator", "count", "first"),
    [
        (("p5.48xlarge",), "nvidia-h100", 32, "efa"),
        (("p5en.48xlarge",), "nvidia-h200", 16, "efa"),
        (("g6.8xlarge",), "nvidia-l4", 1, "efa"),
        (("p6-b300.48xlarge",), "nvidia-b300", 17, "interface"),
    ],
)
def test_efa_gives_one_interface_per_network_card(
    deploy: Deploy, types: tuple[str, ...], accelerator: str, count: int, first: str
):
    cloud = nodes(deploy, pool(instance_types=types, accelerator=accelerator, efa=True))
    interfaces = only(cloud, TEMPLATE).inputs["networkInterfaces"]
    assert [each["networkCardIndex"] for each in interfaces] == list(range(count))
    assert [each["deviceIndex"] for each in interfaces] == [0, *[1] * (count - 1)]
    assert [each["interfaceType"] for each in interfaces] == [first, *["efa-only"] * (count - 1)]
    for each in interfaces:
        assert each["securityGroups"] == ["sg-cluster", "nodes-l4-efa-id"]


def test_efa_traffic_is_let_through_among_the_nodes_of_the_pool_only(deploy: Deploy):
    cloud = nodes(deploy, pool(instance_types=("p5.48xlarge",), accelerator="nvidia-h100", efa=True))
    for token in (
        "securityGroupIngressRule:SecurityGroupIngressRule",
        "securityGroupEgressRule:SecurityGroupEgressRule",
    ):
        rule = only(cloud, f"aws:vpc/{token}").inputs
        assert rule["securityGroupId"] == rule["referencedSecurityGroupId"] == "nodes-l4-efa-id"
        assert rule["ipProtocol"] == "-1"


def test_efa_does_not_bring_a_placement_group_which_is_asked_for_apart(deploy: Deploy):
    types: dict[str, Any] = {"instance_types": ("p5.48xlarge",), "accelerator": "nvidia-h100", "efa": True}
    assert "placement" not in only(nodes(deploy, pool(**types)), TEMPLATE).inputs
    cloud = nodes(deploy, pool(**types, placement_group=True, zones=["us-east-1a"]))
    assert only(cloud, "aws:ec2/placementGroup:PlacementGroup").inputs["strategy"] == "cluster"
    assert only(cloud, TEMPLATE).inputs["placement"] == {"groupName": "nodes-l4-together"}


def test_a_capacity_block_is_named_by_the_template_which_also_names_its_type(deploy: Deploy):
    cloud = nodes(deploy, pool(**BLOCK))
    template, group = only(cloud, TEMPLATE).inputs, only(cloud, GROUP).inputs
    assert template["instanceMarketOptions"] == {"marketType": "capacity-block"}
    assert template["instanceType"] == "p5.48xlarge"
    assert template["capacityReservationSpecification"] == {
        "capacityReservationTarget": {"capacityReservationId": "cr-0123456789abcdef0"}
    }
    assert group["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in group
    assert group["subnetIds"] == ["subnet-a"]


def test_user_data_is_a_mime_archive_that_tells_nodeadm_the_pods_and_the_disks():
    text = base64.b64decode(user_data(110, raid=True)).decode()
    header, _, rest = text.partition("\n\n")
    assert 'boundary="//"' in header
    assert rest.startswith("--//\nContent-Type: application/node.eks.aws\n\n")
    assert rest.endswith("--//--\n")
    assert node_config(110, raid=True) in rest


def test_disks_of_the_instance_are_joined_where_every_type_has_them():
    assert "strategy: RAID0" in node_config(110, raid=True)
    assert "localStorage" not in node_config(110, raid=False)
    assert pool_spec().has_instance_store
    assert not pool_spec(instance_types=["m7i.large"], accelerator="none").has_instance_store


def test_empty_groups_tell_the_autoscaler_labels_taints_and_devices():
    tags = autoscaling_tags(
        pool(
            instance_types=("g6.12xlarge",),
            labels={"team": "vision"},
            taints={"dedicated": "NoExecute"},
        )
    )
    assert tags == {
        f"{TEMPLATE_TAG}/label/team": "vision",
        f"{TEMPLATE_TAG}/label/pool": "l4",
        f"{TEMPLATE_TAG}/label/accelerator": "nvidia-l4",
        f"{TEMPLATE_TAG}/label/k8s.amazonaws.com/accelerator": "nvidia-l4",
        f"{TEMPLATE_TAG}/taint/nvidia.com/gpu": "true:NoSchedule",
        f"{TEMPLATE_TAG}/taint/dedicated": "true:NoExecute",
        f"{TEMPLATE_TAG}/resources/nvidia.com/gpu": "4",
        f"{TEMPLATE_TAG}/resources/ephemeral-storage": "100Gi",
    }


def test_empty_groups_tell_the_autoscaler_the_efa_interfaces_that_their_nodes_would_have():
    types: dict[str, Any] = {"instance_types": ("p5.48xlarge",), "accelerator": "nvidia-h100"}
    assert autoscaling_tags(pool(**types, efa=True))[f"{TEMPLATE_TAG}/resources/vpc.amazonaws.com/efa"] == "32"
    assert f"{TEMPLATE_TAG}/resources/vpc.amazonaws.com/efa" not in autoscaling_tags(pool(**types))
    assert pool_spec(instance_types=["p6-b300.48xlarge"], accelerator="nvidia-b300", efa=True).efa_interfaces == 16


def test_tags_are_put_on_the_auto_scaling_group_and_not_on_its_instances(deploy: Deploy):
    for tag in nodes(deploy).of_type("aws:autoscaling/tag:Tag"):
        assert tag.inputs["autoscalingGroupName"] == "eks-nodes-l4-group"
        assert tag.inputs["tag"]["propagateAtLaunch"] is False


def test_a_group_without_accelerator_that_is_never_empty_needs_no_tags():
    assert autoscaling_tags(pool(instance_types=("m7i.large",), accelerator="none", min_size=1)) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instance_types": []}, "instance_types: got []; list at least 1"),
        ({"instance_types": ["m7i.large"]}, 'accelerator: got "nvidia-l4"; write none, which is what m7i.large has'),
        ({"instance_types": ["g6.xlarge", "g6.12xlarge"]}, "g6.xlarge has 1, g6.12xlarge has 4"),
        ({"instance_types": ["m7i.large", "m7g.large"], "accelerator": "none"}, "these are arm64 and x86_64"),
        ({"efa": True}, "efa: got true; write false or choose larger types, g6.xlarge, g6.2xlarge has no EFA"),
        ({"min_size": 5}, "max_size: got 4; write at least min_size, which is 5"),
        ({"max_size": 451}, "max_size: got 451; write 450 or less"),
        ({"version": "1.20"}, "version: got \"1.20\"; write one of '', '1.33'"),
    ],
)
def test_pools_that_cannot_be_are_refused(changes: dict[str, Any], message: str):
    assert message in refusal(NodePoolSpec, {**POOL, **changes})


def test_a_pool_without_zones_and_version_has_those_of_its_cluster():
    made = pool(zones=[])
    assert (made.zones, made.version) == (("us-east-1a", "us-east-1b"), "1.36")


def test_a_zone_without_subnet_is_refused(deploy: Deploy):
    with pytest.raises(ValueError, match="pool l4: there is no subnet in us-east-1f"):
        nodes(deploy, pool(zones=("us-east-1f",)))


@pytest.mark.parametrize("sessions", [True, False])
def test_nodes_may_join_and_pull_images_and_nothing_else(deploy: Deploy, sessions: bool):
    _, cloud = deploy(
        lambda: NodeRole("node-role", NodeRoleArgs(account=ACCOUNT, cluster_name="c-eks", node_sessions=sessions))
    )
    attached = {
        each.inputs["policyArn"].rpartition("/")[2]
        for each in cloud.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    expected = {"AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly"}
    assert attached == expected | ({"AmazonSSMManagedInstanceCore"} if sessions else set())
    allowed = statements(cloud.named("node-role-joining").inputs["policy"])
    assert {each["Sid"] for each in allowed.values()} == {"DescribeItself", "FindTheCluster"}
