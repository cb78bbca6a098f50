"""Add-ons: exact versions, least-privilege roles, and the order in which nodes need them."""

import json
from typing import Any

import pytest

from components.eks.addons import NodeAddons, NodeAddonsArgs, ServiceAddons, ServiceAddonsArgs
from components.eks.versions import ADDONS, Minor
from mlp.recording import Deploy, RecordingCloud
from tests.unit.components.policies import ACCOUNT, statements

ADDON = "aws:eks/addon:Addon"


def node_addons(deploy: Deploy, version: Minor = "1.36") -> RecordingCloud:
    _, cloud = deploy(
        lambda: NodeAddons(
            "node-addons",
            NodeAddonsArgs(
                account=ACCOUNT,
                cluster_name="c-eks",
                cluster="c-eks",
                version=version,
                pod_subnets={"us-east-1a": "subnet-pods-a", "us-east-1b": "subnet-pods-b"},
                security_group_id="sg-cluster",
            ),
        )
    )
    return cloud


def service_addons(deploy: Deploy) -> RecordingCloud:
    _, cloud = deploy(
        lambda: ServiceAddons(
            "service-addons",
            ServiceAddonsArgs(
                account=ACCOUNT,
                cluster_name="c-eks",
                cluster="c-eks",
                version="1.36",
                volume_key_arn="arn:data-key",
                volume_tags={"environment": "test"},
                after=(),
            ),
        )
    )
    return cloud


def addon(cloud: RecordingCloud, name: str) -> dict[str, Any]:
    [found] = [each for each in cloud.of_type(ADDON) if each.inputs["addonName"] == name]
    return found.inputs


@pytest.mark.parametrize("version", ADDONS)
def test_versions_are_those_of_the_table(deploy: Deploy, version: Minor):
    for each in node_addons(deploy, version).of_type(ADDON):
        assert each.inputs["addonVersion"] == ADDONS[version][each.inputs["addonName"]]


def test_all_six_add_ons_are_installed(deploy: Deploy):
    installed = {
        each.inputs["addonName"]
        for cloud in (node_addons(deploy), service_addons(deploy))
        for each in cloud.of_type(ADDON)
    }
    assert installed == set(ADDONS["1.36"])


def test_pods_get_prefixes_of_the_secondary_range_in_the_zone_of_their_node(deploy: Deploy):
    told = json.loads(addon(node_addons(deploy), "vpc-cni")["configurationValues"])
    assert told["env"]["ENABLE_PREFIX_DELEGATION"] == told["env"]["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] == "true"
    assert told["env"]["ENI_CONFIG_LABEL_DEF"] == "topology.kubernetes.io/zone"
    assert told["eniConfig"] == {
        "create": True,
        "region": "us-east-1",
        "subnets": {
            "a": {"id": "subnet-pods-a", "securityGroups": ["sg-cluster"]},
            "b": {"id": "subnet-pods-b", "securityGroups": ["sg-cluster"]},
        },
    }


def test_network_policies_are_enforced(deploy: Deploy):
    assert json.loads(addon(node_addons(deploy), "vpc-cni")["configurationValues"])["enableNetworkPolicy"] == "true"


def test_the_network_add_on_starts_once_its_pods_can_get_their_role(deploy: Deploy):
    cloud = node_addons(deploy)
    [network] = [each for each in cloud.of_type(ADDON) if each.inputs["addonName"] == "vpc-cni"]
    [agent] = [each for each in cloud.of_type(ADDON) if each.inputs["addonName"] == "eks-pod-identity-agent"]
    assert agent.urn in network.depends_on
    assert {each.urn for each in cloud.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")} <= set(
        network.depends_on
    )


@pytest.mark.parametrize(
    ("make", "name", "account", "policies"),
    [
        (node_addons, "vpc-cni", "aws-node", {"AmazonEKS_CNI_Policy"}),
        (service_addons, "aws-ebs-csi-driver", "ebs-csi-controller-sa", {"AmazonEBSCSIDriverPolicyV2"}),
    ],
)
def test_an_add_on_that_calls_aws_has_a_role_of_its_own(
    deploy: Deploy, make: Any, name: str, account: str, policies: set[str]
):
    cloud = make(deploy)
    [identity] = addon(cloud, name)["podIdentityAssociations"]
    assert identity["serviceAccount"] == account
    [role] = cloud.of_type("aws:iam/role:Role")
    assert identity["roleArn"] == f"arn:aws:mock:::{role.name}"
    attached = cloud.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert {each.inputs["policyArn"].rpartition("/")[2] for each in attached} == policies


def test_add_ons_that_call_nobody_have_no_role(deploy: Deploy):
    for make in (node_addons, service_addons):
        for each in make(deploy).of_type(ADDON):
            if each.inputs["addonName"] not in ("vpc-cni", "aws-ebs-csi-driver"):
                assert "podIdentityAssociations" not in each.inputs


def test_the_volume_driver_uses_our_key_through_ec2_only(deploy: Deploy):
    cloud = service_addons(deploy)
    for allowed in statements(cloud.named("service-addons-ebs-csi-policy").inputs["policy"]).values():
        assert allowed["Resource"] == "arn:data-key"
        assert allowed["Condition"]["StringEquals"] == {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}


def test_volumes_say_whose_they_are(deploy: Deploy):
    told = json.loads(addon(service_addons(deploy), "aws-ebs-csi-driver")["configurationValues"])
    assert told["controller"]["extraVolumeTags"] == {"environment": "test"}
