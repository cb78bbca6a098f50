"""Managed node groups: real Auto Scaling groups whose instances the data plane has to run."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.contracts.desired import ClusterStatus, EksTaint
from sandbox.tests.unit.emulator.eks_world import World
from sandbox.tests.unit.emulator.emulated import AUTHORITY, Emulated, Plane


def _scaling_group(world: World, name: str = "general") -> dict[str, Any]:
    group = world.described(name)["resources"]["autoScalingGroups"][0]["name"]
    [found] = world.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    return found


def test_what_a_node_group_is_made_with_is_read_back(world: World):
    world.cluster()
    template = world.launch_template()
    taint = {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}
    world.node_group(
        "gpu",
        amiType="AL2023_x86_64_NVIDIA",
        instanceTypes=["g6.xlarge", "g6.2xlarge"],
        capacityType="SPOT",
        launchTemplate=template,
        labels={"accelerator": "nvidia-l4"},
        taints=[taint],
        updateConfig={"maxUnavailablePercentage": 33},
        nodeRepairConfig={"enabled": True},
        releaseVersion="1.36.3-20261013",
        scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 0},
        tags={"team": "ml"},
    )
    group = world.described("gpu")
    assert group["status"] == "ACTIVE"
    assert group["launchTemplate"] == {**template, "name": "nodes"}
    assert group["taints"] == [taint]
    assert (group["version"], group["releaseVersion"]) == ("1.36", "1.36.3-20261013")
    assert group["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert group["nodeRepairConfig"] == {"enabled": True}
    assert group["scalingConfig"] == {"minSize": 0, "maxSize": 4, "desiredSize": 0}
    assert (group["labels"], group["tags"]) == ({"accelerator": "nvidia-l4"}, {"team": "ml"})
    assert "diskSize" not in group
    policy = _scaling_group(world, "gpu")["MixedInstancesPolicy"]
    assert [item["InstanceType"] for item in policy["LaunchTemplate"]["Overrides"]] == ["g6.xlarge", "g6.2xlarge"]


def test_instances_come_from_the_launch_template_and_spread_over_the_subnets(world: World):
    made = world.cluster()
    world.node_group(
        launchTemplate=world.launch_template(), scalingConfig={"minSize": 0, "maxSize": 5, "desiredSize": 4}
    )
    instances = world.instances()
    assert sorted(instance["SubnetId"] for instance in instances) == sorted(world.subnets * 2)
    assert instances[0]["PrivateDnsName"] == "ip-10-10-0-4.ec2.internal"
    for instance in instances:
        assert instance["InstanceType"] == "m6i.large"
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        assert tags["team"] == "ml"
        assert (tags["eks:cluster-name"], tags["eks:nodegroup-name"]) == ("ml", "general")
        assert tags["kubernetes.io/cluster/ml"] == "owned"
        cluster_group = made["resourcesVpcConfig"]["clusterSecurityGroupId"]
        assert [group["GroupId"] for group in instance["SecurityGroups"]] == [cluster_group]
        [volume] = world.ec2.describe_volumes(
            VolumeIds=[mapping["Ebs"]["VolumeId"] for mapping in instance["BlockDeviceMappings"]]
        )["Volumes"]
        assert volume["Size"] == 50
        assert {"Key": "team", "Value": "ml"} in volume["Tags"]


def test_the_autoscaler_finds_its_tags_on_the_group(world: World):
    world.cluster()
    world.node_group()
    tags = {tag["Key"]: tag["Value"] for tag in _scaling_group(world)["Tags"]}
    assert tags["k8s.io/cluster-autoscaler/enabled"] == "true"
    assert tags["k8s.io/cluster-autoscaler/ml"] == "owned"


def test_capacity_changed_through_auto_scaling_shows_in_the_node_group(world: World):
    world.cluster()
    world.node_group()
    name = _scaling_group(world)["AutoScalingGroupName"]
    world.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=4)
    assert world.described()["scalingConfig"]["desiredSize"] == len(world.instances()) == 4
    with pytest.raises(ClientError, match="value 6 is above max value 5"):
        world.scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=6)


def test_a_terminated_instance_takes_its_place_along_or_is_replaced(world: World):
    world.cluster()
    world.node_group()
    first, second = (instance["InstanceId"] for instance in world.instances())
    world.scaling.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    assert world.described()["scalingConfig"]["desiredSize"] == 1
    assert [instance["InstanceId"] for instance in world.instances()] == [second]
    world.scaling.terminate_instance_in_auto_scaling_group(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    [third] = world.instances()
    assert third["InstanceId"] not in {first, second}
    world.ec2.terminate_instances(InstanceIds=[third["InstanceId"]])
    [fourth] = world.instances()
    assert fourth["PrivateIpAddress"] != third["PrivateIpAddress"], (
        "a new node would be taken for the one that has gone"
    )
    with pytest.raises(ClientError, match="No managed instance found for instance ID i-0"):
        world.scaling.terminate_instance_in_auto_scaling_group(InstanceId="i-0", ShouldDecrementDesiredCapacity=True)


def test_a_group_does_not_shrink_below_its_minimum(world: World):
    world.cluster()
    world.node_group(scalingConfig={"minSize": 1, "maxSize": 2, "desiredSize": 1})
    [instance] = world.instances()
    with pytest.raises(ClientError, match=r"desiredSize equals minSize \(1\)"):
        world.scaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instance["InstanceId"], ShouldDecrementDesiredCapacity=True
        )


def test_a_deleted_group_leaves_nothing(world: World):
    world.cluster()
    world.node_group()
    assert world.node_role in world.eks.list_access_entries(clusterName="ml")["accessEntries"]
    world.eks.delete_nodegroup(clusterName="ml", nodegroupName="general")
    assert world.instances() == []
    assert world.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert world.ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert world.ec2.describe_volumes()["Volumes"] == []
    assert world.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    assert world.iam.list_instance_profiles()["InstanceProfiles"] == []
    assert world.node_role not in world.eks.list_access_entries(clusterName="ml")["accessEntries"]


def test_the_node_role_s_entry_lives_as_long_as_a_group_needs_it(world: World):
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=world.node_role, type="EC2_LINUX")
    world.node_group()
    world.eks.delete_nodegroup(clusterName="ml", nodegroupName="general")
    assert world.node_role in world.eks.list_access_entries(clusterName="ml")["accessEntries"], "it was the user's own"
    world.eks.delete_access_entry(clusterName="ml", principalArn=world.node_role)
    for name in ("one", "two"):
        world.node_group(name)
    world.eks.delete_nodegroup(clusterName="ml", nodegroupName="one")
    entry = world.eks.describe_access_entry(clusterName="ml", principalArn=world.node_role)["accessEntry"]
    assert (entry["type"], entry["username"]) == ("EC2_LINUX", "system:node:{{EC2PrivateDNSName}}")
    assert entry["kubernetesGroups"] == ["system:nodes"]
    world.eks.delete_nodegroup(clusterName="ml", nodegroupName="two")
    assert world.node_role not in world.eks.list_access_entries(clusterName="ml")["accessEntries"]


def test_labels_taints_and_sizes_change_in_place(world: World):
    world.cluster()
    old = {"key": "a", "value": "1", "effect": "NO_SCHEDULE"}
    world.node_group(labels={"keep": "1", "drop": "1"}, taints=[old, {"key": "b", "effect": "NO_EXECUTE"}])
    before = {instance["InstanceId"] for instance in world.instances()}
    update = world.eks.update_nodegroup_config(
        clusterName="ml",
        nodegroupName="general",
        labels={"addOrUpdateLabels": {"new": "2"}, "removeLabels": ["drop"]},
        taints={
            "addOrUpdateTaints": [{**old, "value": "2"}],
            "removeTaints": [{"key": "b", "effect": "NO_EXECUTE"}],
        },
        scalingConfig={"desiredSize": 3},
        updateConfig={"maxUnavailable": 2},
    )["update"]
    group = world.described()
    assert group["labels"] == {"keep": "1", "new": "2"}
    assert group["taints"] == [{**old, "value": "2"}]
    assert group["scalingConfig"] == {"minSize": 0, "maxSize": 5, "desiredSize": 3}
    assert group["updateConfig"] == {"maxUnavailable": 2}
    assert before < {instance["InstanceId"] for instance in world.instances()}
    followed = world.eks.describe_update(name="ml", updateId=update["id"], nodegroupName="general")["update"]
    assert (followed["type"], followed["status"]) == ("ConfigUpdate", "Successful")
    assert world.eks.list_updates(name="ml")["updateIds"] == []
    assert world.eks.list_updates(name="ml", nodegroupName="general")["updateIds"] == [update["id"]]


def test_a_new_launch_template_version_replaces_every_node(world: World):
    world.cluster()
    template = world.launch_template()
    world.node_group(launchTemplate=template)
    before = {instance["InstanceId"] for instance in world.instances()}
    world.ec2.create_launch_template_version(
        LaunchTemplateId=template["id"],
        SourceVersion="1",
        LaunchTemplateData={"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 80}}]},
    )
    world.eks.update_nodegroup_version(
        clusterName="ml", nodegroupName="general", launchTemplate={"id": template["id"], "version": "2"}
    )
    instances = world.instances()
    assert len(instances) == 2
    assert before.isdisjoint(instance["InstanceId"] for instance in instances)
    assert world.described()["launchTemplate"]["version"] == "2"
    volumes = world.ec2.describe_volumes()["Volumes"]
    assert [volume["Size"] for volume in volumes] == [80, 80]
    assert instances[0]["MetadataOptions"]["HttpPutResponseHopLimit"] == 1


def test_a_pinned_release_stays_until_another_is_asked_for(world: World):
    world.cluster()
    world.node_group(releaseVersion="1.36.1-20260904")
    with pytest.raises(ClientError, match="20990101 is not valid for kubernetes version"):
        world.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", releaseVersion="1.36.9-20990101")
    assert world.described()["releaseVersion"] == "1.36.1-20260904"
    world.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general", releaseVersion="1.36.3-20261013")
    assert world.described()["releaseVersion"] == "1.36.3-20261013"


def test_the_data_plane_is_asked_for_nodes_and_says_when_a_group_is_there(with_plane: Emulated, plane: Plane):
    world = World(with_plane)
    world.cluster()
    world.node_group(
        taints=[{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}], labels={"accelerator": "none"}
    )
    asked = plane.asked_until(lambda cluster: bool(cluster.node_groups))
    assert (asked.name, asked.version, asked.vpc_cidr, asked.pod_cidr) == (
        "ml",
        "1.36",
        "10.10.0.0/16",
        "100.64.0.0/16",
    )
    assert asked.service_cidr == "172.20.0.0/16"
    assert [addon.name for addon in asked.addons] == ["coredns"], "EKS installs one that nobody manages"
    [group] = asked.node_groups
    assert group.taints == (EksTaint(key="nvidia.com/gpu", value="true", effect="NoSchedule"),)
    names = [instance.private_dns_name for instance in group.instances]
    assert names == ["ip-10-10-0-4.ec2.internal", "ip-10-10-32-4.ec2.internal"]
    ready = ClusterStatus(state="active", endpoint="https://198.18.0.2", certificate_authority=AUTHORITY)
    plane.answers[asked.cluster_id] = ready
    assert world.described()["status"] == "CREATING"
    plane.answers[asked.cluster_id] = ClusterStatus(
        state="active",
        endpoint="https://198.18.0.2",
        certificate_authority=AUTHORITY,
        ready_nodes=frozenset(names),
    )
    assert world.described()["status"] == "ACTIVE"
    update = world.eks.update_nodegroup_version(clusterName="ml", nodegroupName="general")["update"]
    followed = world.eks.describe_update(name="ml", updateId=update["id"], nodegroupName="general")["update"]
    assert followed["status"] == "InProgress", "the new nodes are not there yet"
    assert world.described()["status"] == "ACTIVE"


def test_the_data_plane_is_told_of_the_efa_interfaces_of_a_launch_template(with_plane: Emulated, plane: Plane):
    world = World(with_plane)
    world.cluster()
    group = world.ec2.create_security_group(GroupName="efa", Description="efa", VpcId=world.vpc)["GroupId"]
    interfaces = [
        {"NetworkCardIndex": card, "DeviceIndex": min(card, 1), "InterfaceType": kind, "Groups": [group]}
        for card, kind in enumerate(("interface", "efa-only", "efa-only"))
    ]
    template = world.launch_template(NetworkInterfaces=interfaces)
    world.node_group(launchTemplate=template, instanceTypes=["p6-b300.48xlarge"])
    asked = plane.asked_until(lambda cluster: bool(cluster.node_groups))
    assert [each.efa_interfaces for each in asked.node_groups] == [2]
