"""The nodes that a program's node groups can have, in the form that a scheduler receives."""

from typing import Any

import pytest

from components.instance_sizes import instance_size
from mlp.console import PlainError
from mlp.placement.node_kinds import NodeKind
from mlp.placement.nodes import Declared, nodes_of
from mlp.recording import configuration, run_main

CNI = {"addonName": "vpc-cni", "configurationValues": '{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}'}
POD_INTERFACES = {"addonName": "vpc-cni", "configurationValues": '{"env": {"ENABLE_POD_ENI": "true"}}'}
POLICY = {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"}


def addon(inputs: dict[str, Any]) -> Declared:
    return Declared(typ="aws:eks/addon:Addon", name="cni", inputs=inputs)


def managed() -> Declared:
    return Declared(typ="aws:iam/rolePolicyAttachment:RolePolicyAttachment", name="role", inputs=POLICY)


def subnet(name: str, zone: str) -> Declared:
    return Declared(typ="aws:ec2/subnet:Subnet", name=name, inputs={"availabilityZone": zone})


def group(name: str = "general", **inputs: Any) -> Declared:
    given = {"instanceTypes": ["m7i.xlarge", "m7i.large"], "scalingConfig": {"maxSize": 1.0}, **inputs}
    return Declared(typ="aws:eks/nodeGroup:NodeGroup", name=name, inputs=given)


def capacity(*resources: Declared) -> dict[str, str]:
    [node] = nodes_of(resources).objects
    return node.manifest["status"]["capacity"]


def announced(*, efa: bool) -> dict[str, Any]:
    config = configuration("prod")
    config["ml-platform:platform"]["cluster"]["gpu_pools"]["h100"]["efa"] = efa
    declared = [
        Declared(typ=each.typ, name=each.name, inputs=each.inputs) for each in run_main("prod", config).resources
    ]
    node = next(each for each in nodes_of(declared).objects if each.group == "nodes-h100-group")
    return node.manifest["status"]["allocatable"]


@pytest.mark.parametrize("efa", [True, False])
def test_nodes_of_a_pool_with_efa_announce_the_interfaces_of_their_launch_template(efa: bool):
    found = announced(efa=efa)
    assert found["nvidia.com/gpu"] == "8"
    assert found.get("vpc.amazonaws.com/efa") == ("32" if efa else None)


def test_a_group_stands_at_its_maximum_with_its_smallest_type_in_each_zone_in_turn():
    zones = (subnet("one", "us-east-1b"), subnet("two", "us-east-1a"))
    found = nodes_of([*zones, group(scalingConfig={"maxSize": 3.0}, subnetIds=["one-id", "two-id"])])
    assert [each.name for each in found.objects] == ["general-1", "general-2", "general-3"]
    labels = [each.manifest["metadata"]["labels"] for each in found.objects]
    assert [each["topology.kubernetes.io/zone"] for each in labels] == ["us-east-1a", "us-east-1b", "us-east-1a"]
    assert {each["node.kubernetes.io/instance-type"] for each in labels} == {"m7i.large"}
    [summary] = found.groups
    assert (summary.nodes, summary.instance_type, summary.cpus) == (3, "m7i.large", 1.93)


def test_a_group_without_nodes_offers_nothing():
    found = nodes_of([group(scalingConfig={"maxSize": 0.0})])
    assert found.objects == ()
    [summary] = found.groups
    assert (summary.nodes, summary.instance_type, summary.memory_gib) == (0, "none", 0.0)


def test_labels_and_taints_are_the_groups_in_the_spelling_of_kubernetes():
    taint = {"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}
    mine = {"pool": "l4", "kubernetes.io/arch": "wrong"}
    [node] = nodes_of([group(labels=mine, taints=[taint], capacityType="SPOT")]).objects
    assert node.manifest["spec"]["taints"] == [{**taint, "effect": "NoSchedule"}]
    labels = node.manifest["metadata"]["labels"]
    assert (labels["pool"], labels["kubernetes.io/arch"]) == ("l4", "amd64")
    assert (labels["eks.amazonaws.com/nodegroup"], labels["eks.amazonaws.com/capacityType"]) == ("general", "SPOT")


def test_prefix_delegation_of_the_cni_makes_room_for_more_pods():
    other = addon({"addonName": "coredns", "configurationValues": '{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}'})
    assert (capacity(other, group())["pods"], capacity(other, addon(CNI), group())["pods"]) == ("29", "110")


def test_nodes_announce_interfaces_for_pods_where_cni_role_and_type_have_them():
    name = "vpc.amazonaws.com/pod-eni"
    cni = addon(POD_INTERFACES)
    assert capacity(cni, managed(), group())[name] == "9"
    assert name not in capacity(cni, group())
    assert name not in capacity(managed(), group())
    assert name not in capacity(cni, managed(), group(instanceTypes=["t3.large"]))


def test_a_node_keeps_processors_and_memory_for_the_system():
    kind = NodeKind(group="g", size=instance_size("trn1.2xlarge"), prefix_delegation=True, efa_interfaces=1)
    devices = {"aws.amazon.com/neuron": "1", "aws.amazon.com/neuroncore": "2", "vpc.amazonaws.com/efa": "1"}
    common = {"pods": "110", "ephemeral-storage": "100Gi", **devices}
    assert kind.capacity == {"cpu": "8", "memory": "30310Mi", **common}
    assert kind.allocatable == {"cpu": "7910m", "memory": "28745Mi", **common}


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ([], "declares no node group"),
        ([group(instanceTypes=[])], "node group general: instanceTypes is empty; name at least one"),
        ([group(instanceTypes=["m7ii.large"])], r"node group general: instance type 'm7ii\.large': there is no"),
        (
            [group(taints=[{"key": "a", "effect": "NoSchedule"}])],
            "taint a: effect 'NoSchedule'; EKS spells it as one of NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE",
        ),
    ],
)
def test_a_program_that_cannot_be_understood_is_named(resources: list[Declared], said: str):
    with pytest.raises(PlainError, match=said):
        nodes_of(resources)
