"""An EKS platform through the provider, driven as by the engine.

A refresh shows no differences, and changes show with their real effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlp_sandbox.providers.aws.provider import AwsProvider
from mlp_sandbox.providers.aws.resource import Props
from mlp_sandbox.providers.protocol import Diff, Naming, Resource
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.eks_ground import Ground
from sandbox.tests.unit.providers.emulated import emulated

LATER = Naming(b"seed")


@dataclass
class Deployed:
    """One resource with the state that the engine keeps."""

    provider: AwsProvider
    resource: Resource
    program: Props
    id: str = ""
    inputs: Props = field(default_factory=dict[str, Any])
    state: Props = field(default_factory=dict[str, Any])

    def up(self) -> Deployed:
        self.inputs, failures = self.provider.check(self.resource, {}, self.program, LATER)
        assert failures == []
        self.id, self.state = self.provider.create(self.resource, self.inputs, preview=False)
        return self

    def refresh(self) -> None:
        found = self.provider.read(self.resource, self.id, self.inputs, self.state)
        assert found is not None
        self.inputs, self.state = found

    def preview(self, **changed: Any) -> Diff:
        """Return the diff for the program with some inputs changed."""
        new, failures = self.provider.check(self.resource, self.inputs, {**self.program, **changed}, LATER)
        assert failures == []
        return self.provider.diff(self.resource, self.inputs, self.state, new)


class Platform:
    """Resources by name, deployed in the order of first use."""

    def __init__(self, ground: Ground) -> None:
        self.provider = AwsProvider()
        self.provider.clients, self.provider.default_tags = ground.account.clients, {"managed-by": "pulumi"}
        self.resources: dict[str, Deployed] = {}

    def make(self, name: str, type_: str, /, **program: Any) -> Deployed:
        resource = Resource(f"urn:pulumi:test::p::{type_}::{name}", type_, name, timeout=20)
        self.resources[name] = Deployed(self.provider, resource, program).up()
        return self.resources[name]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with emulated(tmp_path_factory.mktemp("account")) as account:
        made = Platform(ground := Ground(account))
        cluster = made.make("ml", "aws:eks/cluster:Cluster", **ground.cluster_inputs("ml")).id
        entry = made.make(
            "admin",
            "aws:eks/accessEntry:AccessEntry",
            clusterName=cluster,
            principalArn=ground.role("admin", "ec2.amazonaws.com"),
        )
        made.make(
            "admin-policy",
            "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
            clusterName=cluster,
            principalArn=entry.state["principalArn"],
            policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            accessScope={"type": "cluster"},
        )
        made.make(
            "cni", "aws:eks/addon:Addon", clusterName=cluster, addonName="vpc-cni", resolveConflictsOnCreate="OVERWRITE"
        )
        made.make(
            "trainer",
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            clusterName=cluster,
            namespace="training",
            serviceAccount="trainer",
            roleArn=ground.pod_role("trainer"),
        )
        made.make("near", "aws:ec2/placementGroup:PlacementGroup", strategy="cluster")
        template = made.make(
            "nodes",
            "aws:ec2/launchTemplate:LaunchTemplate",
            metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1},
            blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 80, "encrypted": "true"}}],
        )
        pool = made.make(
            "gpu",
            "aws:eks/nodeGroup:NodeGroup",
            clusterName=cluster,
            nodeRoleArn=ground.node_role,
            subnetIds=ground.subnets[1::-1],
            amiType="AL2023_x86_64_NVIDIA",
            instanceTypes=["g6.xlarge"],
            labels={"accelerator": "nvidia-l4"},
            launchTemplate={"id": template.id, "version": str(template.state["latestVersion"])},
            scalingConfig={"minSize": 0, "desiredSize": 0, "maxSize": 2},
            taints=[{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        )
        made.make(
            "gpu-label",
            "aws:autoscaling/tag:Tag",
            autoscalingGroupName=pool.state["resources"][0]["autoscalingGroups"][0]["name"],
            tag={"key": "k8s.io/cluster-autoscaler/enabled", "value": "true", "propagateAtLaunch": False},
        )
        yield made


def test_nothing_differs_after_a_deployment_and_after_a_refresh(platform: Platform) -> None:
    for name, deployed in platform.resources.items():
        assert deployed.preview().changes == {}, f"{name} differs after its creation"
        deployed.refresh()
        assert deployed.preview().changes == {}, f"{name} differs after a refresh"


def test_default_tags_are_on_everything_that_has_tags(platform: Platform) -> None:
    tagged = {
        name: deployed.state["tagsAll"] for name, deployed in platform.resources.items() if "tagsAll" in deployed.state
    }
    assert set(tagged) == {"ml", "admin", "cni", "trainer", "near", "nodes", "gpu"}
    assert all(tags["managed-by"] == "pulumi" for tags in tagged.values())


def test_a_label_is_one_change_in_place_and_an_instance_type_a_replacement(platform: Platform) -> None:
    pool = platform.resources["gpu"]
    labels = pool.preview(labels={"accelerator": "nvidia-l40s"})
    assert {name: change.replace for name, change in labels.changes.items()} == {"labels": False}
    types = pool.preview(instanceTypes=["g6e.xlarge"])
    assert {name: change.replace for name, change in types.changes.items()} == {"instanceTypes": True}
    assert not types.delete_before_replace, "an automatic name lets the new pool come before the old one goes"


def test_names_are_made_and_kept(platform: Platform) -> None:
    for name, key in (("gpu", "nodeGroupName"), ("nodes", "name"), ("near", "name")):
        made = platform.resources[name].inputs[key]
        assert made.startswith(f"{name}-")
        assert platform.resources[name].preview(tags={"a": "b"}).changes.keys() == {"tags"}


def test_a_block_holds_what_aws_put_into_it_beside_what_was_given(platform: Platform) -> None:
    vpc = platform.resources["ml"].state["vpcConfig"]
    assert vpc["clusterSecurityGroupId"].startswith("sg-")
    assert vpc["subnetIds"] == platform.resources["ml"].program["vpcConfig"]["subnetIds"]


def test_a_preview_does_not_know_what_aws_will_put_into_a_block(platform: Platform) -> None:
    cluster = platform.resources["ml"]
    _, planned = platform.provider.create(cluster.resource, cluster.inputs, preview=True)
    assert planned["vpcConfig"]["clusterSecurityGroupId"] is UNKNOWN
    assert planned["vpcConfig"]["endpointPrivateAccess"] is True
    newer = {**cluster.inputs, "version": "1.36"}
    changed = platform.provider.update(cluster.resource, "ml", cluster.inputs, cluster.state, newer, preview=True)
    assert changed["vpcConfig"] == cluster.state["vpcConfig"]
    assert changed["version"] == "1.36"
