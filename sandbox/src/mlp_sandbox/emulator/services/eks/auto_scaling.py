"""EKS: the Auto Scaling group, launch template and instance profile of a managed node group.

https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
"""

import copy
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.clusters import auto_scaling_group, running_instances
from mlp_sandbox.emulator.services.eks.images import CUSTOM, image_id
from mlp_sandbox.emulator.services.eks.records import ClusterRecord, NodeGroup
from mlp_sandbox.emulator.services.registry import Result

_ROOT_DEVICE = "/dev/xvda"
# Values that EKS sets when the template does not.
_METADATA = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}


def form(cluster: ClusterRecord, group: NodeGroup, data: Result | None) -> None:
    """Create all three. The group then starts its instances."""
    _create_profile(cluster, group)
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    name = group.launch_template
    template = ec2.create_launch_template(name, "", _template_data(cluster, group, data), _owned(cluster, group))
    autoscaling: Any = autoscaling_backends[cluster.account][cluster.region]
    size = group.description["scalingConfig"]
    autoscaling.create_auto_scaling_group(
        name=group.auto_scaling_group,
        availability_zones=[],
        desired_capacity=size["desiredSize"],
        max_size=size["maxSize"],
        min_size=size["minSize"],
        launch_config_name=None,
        launch_template={},
        vpc_zone_identifier=",".join(group.description["subnets"]),
        default_cooldown=None,
        health_check_period=15,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        tags=[
            {"Key": key, "Value": value, "PropagateAtLaunch": True}
            for key, value in _group_tags(cluster, group).items()
        ],
        capacity_rebalance=group.description["capacityType"] == "SPOT",
        mixed_instances_policy=_instances_policy(group, template),
    )


def dissolve(cluster: ClusterRecord, group: NodeGroup) -> None:
    """Terminate the instances and remove the resources that were created for them."""
    if auto_scaling_group(cluster, group) is not None:
        autoscaling: Any = autoscaling_backends[cluster.account][cluster.region]
        autoscaling.delete_auto_scaling_group(group.auto_scaling_group)
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    if group.launch_template in ec2.launch_template_name_to_ids:
        template = ec2.delete_launch_template(group.launch_template, None)
        ec2.tags.pop(template.id, None)
    profiles: Any = iam_backends[cluster.account]["aws"]
    if group.instance_profile in profiles.instance_profiles:
        profiles.delete_instance_profile(group.instance_profile, ignore_attached_roles=True)


def resize(cluster: ClusterRecord, group: NodeGroup, size: Result) -> None:
    """Change the bounds and the number of instances."""
    scaled = auto_scaling_group(cluster, group)
    if scaled is not None:
        scaled.min_size, scaled.max_size = size["minSize"], size["maxSize"]
        scaled.set_desired_capacity(size["desiredSize"])


def renew(cluster: ClusterRecord, group: NodeGroup, data: Result | None) -> None:
    """Replace every instance by one of a new version of the launch template."""
    ec2: Any = ec2_backends[cluster.account][cluster.region]
    template = ec2.get_launch_template_by_name(group.launch_template)
    version = template.create_version(_template_data(cluster, group, data), "")
    template.default_version_number = version.number
    scaled, old = auto_scaling_group(cluster, group), running_instances(cluster, group)
    if scaled is None:
        return
    scaled.mixed_instances_policy = _instances_policy(group, template)
    scaled.launch_template_version = str(version.number)
    if old:
        scaled.replace_autoscaling_group_instances(len(old), scaled.get_propagated_tags())
        leaving = {instance.id for instance in old}
        scaled.instance_states = [state for state in scaled.instance_states if state.instance.id not in leaving]
        ec2.terminate_instances([instance.id for instance in old])


def _template_data(cluster: ClusterRecord, group: NodeGroup, data: Result | None) -> Result:
    """Return the user's launch template, completed as EKS does."""
    merged: Result = copy.deepcopy(data or {})
    description = group.description
    groups = [group for nic in merged.get("NetworkInterfaces") or [] for group in nic.get("Groups") or []]
    if not groups and not merged.get("SecurityGroupIds"):
        merged["SecurityGroupIds"] = [cluster.description["resourcesVpcConfig"]["clusterSecurityGroupId"]]
    if description["amiType"] != CUSTOM:
        merged["ImageId"] = image_id(cluster.region, description["amiType"], description["releaseVersion"])
    merged["InstanceType"] = (description.get("instanceTypes") or [merged.get("InstanceType")])[0]
    merged["MetadataOptions"] = _METADATA | (merged.get("MetadataOptions") or {})
    merged["IamInstanceProfile"] = {"Name": group.instance_profile}
    if not merged.get("BlockDeviceMappings"):
        volume = {"VolumeSize": description.get("diskSize") or 20, "VolumeType": "gp3", "DeleteOnTermination": True}
        merged["BlockDeviceMappings"] = [{"DeviceName": _ROOT_DEVICE, "Ebs": volume}]
    mappings: list[Result] = merged["BlockDeviceMappings"]
    for mapping in mappings:
        mapping["Ebs"] = {"DeleteOnTermination": True} | (mapping.get("Ebs") or {})
    specs = {spec["ResourceType"]: _tags(spec) for spec in merged.get("TagSpecifications") or []}
    for kind in ("instance", "volume"):
        specs[kind] = specs.get(kind, {}) | _eks_tags(cluster, group)
    merged["TagSpecifications"] = [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for kind, tags in specs.items()
    ]
    return merged


def _instances_policy(group: NodeGroup, template: Any) -> Result:
    spot = group.description["capacityType"] == "SPOT"
    types = group.description.get("instanceTypes") or [template.latest_version().instance_type]
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {
                "LaunchTemplateId": template.id,
                "Version": str(template.latest_version_number),
            },
            "Overrides": [{"InstanceType": name} for name in types],
        },
        "InstancesDistribution": {
            "OnDemandAllocationStrategy": "prioritized",
            "OnDemandBaseCapacity": 0,
            "OnDemandPercentageAboveBaseCapacity": 0 if spot else 100,
            "SpotAllocationStrategy": "price-capacity-optimized" if spot else "lowest-price",
        },
    }


def _create_profile(cluster: ClusterRecord, group: NodeGroup) -> None:
    role, profiles = role_by_arn(group.description["nodeRole"]), iam_backends[cluster.account]["aws"]
    profiles.create_instance_profile(group.instance_profile, "/", [role.name])


def _eks_tags(cluster: ClusterRecord, group: NodeGroup) -> dict[str, str]:
    return {"eks:cluster-name": cluster.name, "eks:nodegroup-name": group.name}


def _group_tags(cluster: ClusterRecord, group: NodeGroup) -> dict[str, str]:
    return _eks_tags(cluster, group) | {
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{cluster.name}": "owned",
        f"kubernetes.io/cluster/{cluster.name}": "owned",
    }


def _owned(cluster: ClusterRecord, group: NodeGroup) -> dict[str, dict[str, str]]:
    return {"launch-template": _eks_tags(cluster, group)}


def _tags(spec: Result) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in spec.get("Tags") or []}
