"""Add-ons of the emulated EKS: explicit versions, configuration checked by a schema, health from the data plane."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.contracts.desired import ClusterStatus, EksAddon
from sandbox.tests.unit.emulator.eks_world import World
from sandbox.tests.unit.emulator.emulated import AUTHORITY, Emulated, Plane


def _create(world: World, name: str = "coredns", **sent: Any) -> dict[str, Any]:
    return world.eks.create_addon(clusterName="ml", addonName=name, **sent)["addon"]


def _describe(world: World, name: str = "coredns") -> dict[str, Any]:
    return world.eks.describe_addon(clusterName="ml", addonName=name)["addon"]


def test_what_an_add_on_is_made_with_is_read_back(world: World):
    world.cluster()
    made = _create(
        world, addonVersion="v1.13.2-eksbuild.1", configurationValues='{"replicaCount": 1}', tags={"team": "ml"}
    )
    assert made["status"] == "CREATING"
    addon = _describe(world)
    assert addon["status"] == "ACTIVE"
    assert addon["addonVersion"] == "v1.13.2-eksbuild.1"
    assert addon["configurationValues"] == '{"replicaCount": 1}'
    assert addon["tags"] == {"team": "ml"}
    assert world.eks.list_addons(clusterName="ml")["addons"] == ["coredns"]


def test_every_listed_version_can_be_installed_and_one_of_them_is_the_default(world: World):
    world.cluster()
    for addon in world.eks.describe_addon_versions(kubernetesVersion="1.36")["addons"]:
        name, versions = addon["addonName"], addon["addonVersions"]
        defaults = [item["addonVersion"] for item in versions if item["compatibilities"][0]["defaultVersion"]]
        assert _create(world, name)["addonVersion"] == defaults[0]
        assert len(defaults) == 1
        for item in versions:
            world.eks.update_addon(clusterName="ml", addonName=name, addonVersion=item["addonVersion"])
            assert _describe(world, name)["addonVersion"] == item["addonVersion"]
    assert set(world.eks.list_addons(clusterName="ml")["addons"]) >= {
        *("vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent", "metrics-server")
    }


@pytest.mark.parametrize(
    ("name", "sent", "message"),
    [
        ("coredns", {"addonVersion": "v9.9.9-eksbuild.1"}, "Addon version specified is not supported"),
        ("kube-proxy", {"addonVersion": "v1.35.5-eksbuild.1"}, "Addon version specified is not supported"),
        ("nothing", {}, "Addon nothing specified is not supported in 1.36 kubernetes version"),
        ("coredns", {"configurationValues": "{"}, "it is no JSON"),
        ("coredns", {"configurationValues": "[]"}, "Json schema validation failed"),
        ("coredns", {"configurationValues": '{"replicas": 1}'}, "'replicas' was unexpected"),
        ("coredns", {"serviceAccountRoleArn": "arn:aws:iam::123456789012:role/no"}, "role/no does not exist"),
    ],
)
def test_an_add_on_that_eks_would_refuse_is_refused_by_name(
    world: World, name: str, sent: dict[str, Any], message: str
):
    world.cluster()
    with pytest.raises(ClientError) as caught:
        _create(world, name, **sent)
    assert message in caught.value.response["Error"]["Message"]
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert world.eks.list_addons(clusterName="ml")["addons"] == []


def test_an_add_on_exists_once_and_names_what_is_missing(world: World):
    world.cluster()
    _create(world)
    with pytest.raises(ClientError, match="Addon already exists"):
        _create(world)
    with pytest.raises(ClientError, match="No addon: vpc-cni found in cluster: ml"):
        _describe(world, "vpc-cni")


def test_the_configuration_schema_is_the_one_that_values_are_held_against(world: World):
    answer = world.eks.describe_addon_configuration(addonName="vpc-cni", addonVersion="v1.21.1-eksbuild.7")
    assert "env" in json.loads(answer["configurationSchema"])["properties"]
    assert answer["podIdentityConfiguration"][0]["serviceAccount"] == "aws-node"
    world.cluster()
    _create(world, "vpc-cni", configurationValues='{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}')


def test_an_add_on_owns_the_associations_that_it_was_given(world: World):
    world.cluster()
    name, account = "aws-ebs-csi-driver", "ebs-csi-controller-sa"
    _create(world, name, podIdentityAssociations=[{"serviceAccount": account, "roleArn": world.pod_role}])
    addon = _describe(world, name)
    [listed] = world.eks.list_pod_identity_associations(clusterName="ml")["associations"]
    assert addon["podIdentityAssociations"] == [listed["associationArn"]]
    assert listed["ownerArn"] == addon["addonArn"]
    assert (listed["namespace"], listed["serviceAccount"]) == ("kube-system", account)
    with pytest.raises(ClientError, match="is owned by"):
        world.eks.delete_pod_identity_association(clusterName="ml", associationId=listed["associationId"])
    same = [{"serviceAccount": account, "roleArn": world.pod_role}]
    world.eks.update_addon(clusterName="ml", addonName=name, podIdentityAssociations=same)
    assert _describe(world, name)["podIdentityAssociations"] == [listed["associationArn"]]
    world.eks.update_addon(clusterName="ml", addonName=name, podIdentityAssociations=[])
    assert world.eks.list_pod_identity_associations(clusterName="ml")["associations"] == []
    world.eks.update_addon(clusterName="ml", addonName=name, podIdentityAssociations=same)
    world.eks.delete_addon(clusterName="ml", addonName=name)
    assert world.eks.list_pod_identity_associations(clusterName="ml")["associations"] == []


def test_an_update_without_a_role_takes_it_away_and_keeps_the_rest(world: World):
    world.cluster()
    _create(world, serviceAccountRoleArn=world.pod_role, configurationValues='{"replicaCount": 1}')
    update = world.eks.update_addon(clusterName="ml", addonName="coredns", resolveConflicts="OVERWRITE")["update"]
    addon = _describe(world)
    assert "serviceAccountRoleArn" not in addon
    assert addon["configurationValues"] == '{"replicaCount": 1}'
    followed = world.eks.describe_update(name="ml", updateId=update["id"], addonName="coredns")["update"]
    assert (followed["type"], followed["status"]) == ("AddonUpdate", "Successful")


def test_the_data_plane_installs_add_ons_and_says_when_they_are_well(with_plane: Emulated, plane: Plane):
    world = World(with_plane)
    world.cluster(bootstrapSelfManagedAddons=False)
    assert plane.asked_until(lambda cluster: cluster.name == "ml").addons == ()
    _create(world, addonVersion="v1.13.2-eksbuild.7", configurationValues='{"replicaCount": 1}')
    asked = plane.asked_until(lambda cluster: bool(cluster.addons))
    assert asked.addons == (EksAddon(name="coredns", version="v1.13.2-eksbuild.7", configuration={"replicaCount": 1}),)
    active = ClusterStatus(state="active", endpoint="https://198.18.0.2", certificate_authority=AUTHORITY)
    plane.answers[asked.cluster_id] = active
    assert _describe(world)["status"] == "CREATING"
    plane.answers[asked.cluster_id] = replace(active, healthy_addons=frozenset({"coredns"}))
    assert _describe(world)["status"] == "ACTIVE"


def test_tags_of_everything_with_an_arn_can_be_changed(world: World):
    cluster = world.cluster()
    addon = _create(world)
    group = world.node_group(scalingConfig={"minSize": 0, "maxSize": 1, "desiredSize": 0})
    entry = world.eks.describe_access_entry(clusterName="ml", principalArn=world.node_role)["accessEntry"]
    association = world.eks.create_pod_identity_association(
        clusterName="ml", namespace="a", serviceAccount="b", roleArn=world.pod_role
    )["association"]
    arns = [cluster["arn"], addon["addonArn"], group["nodegroupArn"], entry["accessEntryArn"]]
    for arn in [*arns, association["associationArn"]]:
        world.eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        world.eks.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert world.eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert _describe(world)["tags"] == {"b": "2"}
    with pytest.raises(ClientError, match="Resource was not found"):
        world.eks.list_tags_for_resource(resourceArn=cluster["arn"] + "x")
