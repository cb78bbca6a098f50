"""Patches of Auto Scaling groups: placement over subnets, the launch template, and an order that replays repeat.

moto starts all instances in the first subnet, ignores most of the template, and orders the rest by memory addresses.
"""

import copy
from collections import Counter
from collections.abc import Iterable
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.ec2.utils import convert_tag_spec

_group: Any = FakeAutoScalingGroup
_launch, _set_capacity, _update = (
    _group.replace_autoscaling_group_instances,
    _group.set_desired_capacity,
    _group.update,
)


def launch(self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    """Start instances, each in the subnet with the fewest instances of the group."""
    if not self.vpc_zone_identifier or self.ec2_launch_template is None:
        _launch(self, count_needed, propagated_tags)
        return
    subnets = self.vpc_zone_identifier.split(",")
    version = self.ec2_launch_template.get_version(self.launch_template_version)
    data = version.data
    specs = convert_tag_spec(data.get("TagSpecifications") or [])
    tags = {
        "instance": propagated_tags | specs.get("instance", {}) | {ASG_NAME_TAG: self.name},
        "volume": specs.get("volume", {}),
    }
    interfaces = data.get("NetworkInterfaces") or []
    primary = next((item for item in interfaces if not item.get("DeviceIndex")), {})
    policy = self.mixed_instances_policy or {}
    overrides = policy.get("LaunchTemplate", {}).get("Overrides") or [{}]
    spot = policy.get("InstancesDistribution", {}).get("OnDemandPercentageAboveBaseCapacity") == 0
    from_template = {"LaunchTemplateId": self.ec2_launch_template.id, "Version": version.number}
    for _ in range(count_needed):
        taken = Counter(state.instance.subnet_id for state in self.instance_states)
        subnet = min(subnets, key=lambda id: (taken[id], subnets.index(id)))
        reservation = self.ec2_backend.run_instances(
            version.image_id,
            1,
            version.user_data,
            [],
            security_group_ids=list(data.get("SecurityGroupIds") or primary.get("Groups") or []),
            instance_type=overrides[0].get("InstanceType") or version.instance_type,
            is_instance_type_default=False,
            tags=tags,
            launch_template=from_template,
            subnet_id=subnet,
            associate_public_ip=primary.get("AssociatePublicIpAddress"),
            metadata_options=data.get("MetadataOptions") or {},
            monitoring_state="enabled" if (data.get("Monitoring") or {}).get("Enabled") else "disabled",
            ebs_optimized=bool(data.get("EbsOptimized")),
            key_name=data.get("KeyName"),
            **({"block_device_mappings": mappings} if (mappings := data.get("BlockDeviceMappings")) else {}),
            **({"instance_market_options": {"MarketType": "spot"}} if spot else {}),
        )
        for instance in reservation.instances:
            _complete(self, instance, data)


def _complete(group: Any, instance: Any, data: dict[str, Any]) -> None:
    instance.autoscaling_group = group
    for interface in instance.nics.values():
        interface.delete_on_termination = True
    profile = (data.get("IamInstanceProfile") or {}).get("Name")
    if profile:
        group.ec2_backend.associate_iam_instance_profile(instance_id=instance.id, iam_instance_profile_name=profile)
    protected = group.new_instances_protected_from_scale_in
    group.instance_states.append(InstanceState(instance, protected_from_scale_in=protected))


def set_capacity(self: Any, new_capacity: int | None) -> None:
    """Set the capacity and keep the order of the instances.

    Scaling in removes the oldest instance of the zone with the most instances, as AWS's default policy does.
    """
    order = {id(state): number for number, state in enumerate(self.instance_states)}
    self.instance_states = _leaving_first(self.instance_states)
    _set_capacity(self, new_capacity)
    self.instance_states = sorted(self.instance_states, key=lambda state: order.get(id(state), len(order)))


def _leaving_first(states: Iterable[Any]) -> list[Any]:
    staying, leaving = list(states), []
    while staying:
        zones = Counter(state.availability_zone for state in staying)
        most = max(zones.values())
        goes = next(state for state in staying if zones[state.availability_zone] == most)
        staying.remove(goes)
        leaving.append(goes)
    return leaving


def update(self: Any, *args: Any, **kwargs: Any) -> None:
    """Update a group. Its mixed instances policy stays unless the request replaces it."""
    replaced = kwargs.get("launch_config_name") or kwargs.get("launch_template")
    policy = kwargs.get("mixed_instances_policy")
    if not replaced and policy is None:
        policy = copy.deepcopy(self.mixed_instances_policy)
    specification = (policy or {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
    if specification.get("LaunchTemplateId"):
        specification.pop("LaunchTemplateName", None)  # moto adds the name, and accepts only one of the two
    kwargs["mixed_instances_policy"] = policy
    _update(self, *args, **kwargs)


_group.provided_launch_template_version = None
_group.replace_autoscaling_group_instances = launch
_group.set_desired_capacity = set_capacity
_group.update = update
