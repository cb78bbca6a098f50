"""The journal restores all of EKS unchanged, and every answer has the shape of botocore's model."""

import json
from typing import Any

from mlp_sandbox.contracts.desired import ClusterStatus, PodIdentity
from mlp_sandbox.emulator import services
from mlp_sandbox.emulator.services.registry import extended_operations
from sandbox.tests.unit.emulator.eks_world import World, trust
from sandbox.tests.unit.emulator.emulated import AUTHORITY, Emulated, Plane, Shapes

_VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


def _live(world: World, plane: Plane) -> None:
    """Run through a cluster's life with every writing operation."""
    eks, ec2 = world.eks, world.ec2
    key = world.emulated.client("kms").create_key()["KeyMetadata"]["Arn"]
    arn = world.cluster(version="1.35", logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]})["arn"]
    eks.update_cluster_config(name="ml", deletionProtection=True)
    eks.update_cluster_version(name="ml", version="1.36")
    config = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    eks.associate_encryption_config(clusterName="ml", encryptionConfig=config)
    eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "1"})
    eks.untag_resource(resourceArn=arn, tagKeys=["b"])
    template = ec2.create_launch_template(
        LaunchTemplateName="nodes", LaunchTemplateData={"MetadataOptions": {"HttpTokens": "required"}}
    )["LaunchTemplate"]["LaunchTemplateId"]
    world.node_group(launchTemplate={"id": template}, scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": 5})
    group = world.described()["resources"]["autoScalingGroups"][0]["name"]
    world.scaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=2)
    world.scaling.update_auto_scaling_group(AutoScalingGroupName=group, MaxSize=8)
    world.scaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=4)
    tag = {"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": "a", "PropagateAtLaunch": True}
    for key in ("a", "b"):
        world.scaling.create_or_update_tags(Tags=[{**tag, "Key": key, "Value": "1"}])
    world.scaling.delete_tags(Tags=[tag])
    leaving = world.instances()[0]["InstanceId"]
    world.scaling.terminate_instance_in_auto_scaling_group(InstanceId=leaving, ShouldDecrementDesiredCapacity=True)
    eks.update_nodegroup_config(clusterName="ml", nodegroupName="general", labels={"addOrUpdateLabels": {"a": "b"}})
    ec2.create_launch_template_version(LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={})
    ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion="2")
    eks.update_nodegroup_version(
        clusterName="ml", nodegroupName="general", launchTemplate={"id": template, "version": "2"}
    )
    ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["1"])
    world.node_group("gone")
    eks.delete_nodegroup(clusterName="ml", nodegroupName="gone")
    person = world.role("person", trust("ec2.amazonaws.com"))
    for principal in (person, world.pod_role):
        eks.create_access_entry(clusterName="ml", principalArn=principal)
    eks.update_access_entry(clusterName="ml", principalArn=person, kubernetesGroups=["team"])
    scope = {"type": "namespace", "namespaces": ["team"]}
    for principal in (person, world.pod_role):
        eks.associate_access_policy(clusterName="ml", principalArn=principal, policyArn=_VIEW, accessScope=scope)
    eks.disassociate_access_policy(clusterName="ml", principalArn=world.pod_role, policyArn=_VIEW)
    eks.delete_access_entry(clusterName="ml", principalArn=world.pod_role)
    for name in ("coredns", "vpc-cni"):
        eks.create_addon(clusterName="ml", addonName=name)
    eks.update_addon(clusterName="ml", addonName="coredns", configurationValues='{"replicaCount": 1}')
    eks.delete_addon(clusterName="ml", addonName="vpc-cni")
    associations = [
        eks.create_pod_identity_association(
            clusterName="ml", namespace="team", serviceAccount=account, roleArn=world.pod_role
        )["association"]["associationId"]
        for account in ("reader", "writer")
    ]
    eks.update_pod_identity_association(
        clusterName="ml", associationId=associations[0], roleArn=world.pod_role, disableSessionTags=False
    )
    eks.delete_pod_identity_association(clusterName="ml", associationId=associations[1])
    plane.pods["token"] = PodIdentity(namespace="team", service_account="reader", pod_name="reader-1", pod_uid="u")
    world.emulated.client("eks-auth").assume_role_for_pod_identity(clusterName="ml", token="token")
    reservation = ec2.create_capacity_reservation(
        InstanceType="m6i.large", InstancePlatform="Linux/UNIX", AvailabilityZone="us-east-1a", InstanceCount=1
    )["CapacityReservation"]["CapacityReservationId"]
    ec2.modify_capacity_reservation(CapacityReservationId=reservation, InstanceCount=2)
    ec2.cancel_capacity_reservation(CapacityReservationId=reservation)
    world.cluster("other")
    eks.delete_cluster(name="other")
    id = eks.describe_cluster(name="ml")["cluster"]["identity"]["oidc"]["issuer"].rpartition("/")[2]
    plane.answers[id] = ClusterStatus(
        state="active",
        endpoint="https://198.18.0.2",
        certificate_authority=AUTHORITY,
        ready_nodes=frozenset(instance["PrivateDnsName"] for instance in world.instances()),
        healthy_addons=frozenset({"coredns"}),
    )


def _described(emulated: Emulated) -> dict[str, Any]:
    """Return everything that the API can read of the cluster."""
    eks, ec2, scaling = emulated.client("eks"), emulated.client("ec2"), emulated.client("autoscaling")
    cluster: dict[str, Any] = {"clusterName": "ml"}
    entries = eks.list_access_entries(**cluster)["accessEntries"]
    associations = eks.list_pod_identity_associations(**cluster)["associations"]
    updates = {
        kind: eks.list_updates(name="ml", **of)["updateIds"]
        for kind, of in {
            "cluster": {},
            "group": {"nodegroupName": "general"},
            "addon": {"addonName": "coredns"},
        }.items()
    }
    found = {
        "clusters": eks.list_clusters(),
        "cluster": eks.describe_cluster(name="ml"),
        "tags": eks.list_tags_for_resource(resourceArn=eks.describe_cluster(name="ml")["cluster"]["arn"]),
        "groups": eks.list_nodegroups(**cluster),
        "group": eks.describe_nodegroup(nodegroupName="general", **cluster),
        "addons": eks.list_addons(**cluster),
        "addon": eks.describe_addon(addonName="coredns", **cluster),
        "entries": [eks.describe_access_entry(principalArn=arn, **cluster) for arn in entries],
        "policies": [eks.list_associated_access_policies(principalArn=arn, **cluster) for arn in entries],
        "associations": [
            eks.describe_pod_identity_association(associationId=item["associationId"], **cluster)
            for item in associations
        ],
        "updates": updates,
        "update": eks.describe_update(name="ml", updateId=updates["cluster"][0]),
        "scaling": scaling.describe_auto_scaling_groups(),
        "instances": ec2.describe_instances(),
        "volumes": ec2.describe_volumes(),
        "security groups": ec2.describe_security_groups(),
        "templates": ec2.describe_launch_templates(),
        "versions": ec2.describe_launch_template_versions(Versions=["$Latest", "$Default"]),
        "reservations": ec2.describe_capacity_reservations(),
        "profiles": emulated.client("iam").list_instance_profiles(),
        "credentials": emulated.client("eks-auth").assume_role_for_pod_identity(clusterName="ml", token="token"),
    }
    return json.loads(json.dumps(_plain(found), default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def test_everything_of_eks_comes_back_from_the_journal_as_it_was(with_plane: Emulated, plane: Plane):
    _live(World(with_plane), plane)
    before = _described(with_plane)
    assert len(before["instances"]["Reservations"]) > 10, "terminated ones stay listed"
    with_plane.restart()
    after = _described(with_plane)
    for what, value in before.items():
        assert after[what] == value, what


def test_every_added_operation_answers_in_the_shape_of_its_model(with_plane: Emulated, plane: Plane, shapes: Shapes):
    _live(World(with_plane), plane)
    _described(with_plane)
    eks = with_plane.client("eks")
    eks.describe_cluster_versions()
    eks.list_access_policies()
    eks.describe_addon_versions()
    eks.describe_addon_configuration(addonName="coredns", addonVersion="v1.13.2-eksbuild.1")
    services.load()
    added = {
        (service, name) for service, name in extended_operations() if service in {"eks", "eks-auth", "autoscaling"}
    }
    assert added <= shapes.exercised
    assert shapes.problems == []
