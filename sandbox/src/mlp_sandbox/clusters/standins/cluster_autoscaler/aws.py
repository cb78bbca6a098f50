"""Calls to AWS. They need no permissions beyond those that the original documents.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#iam-policy
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .flags import NodeGroupRange, Options
from .groups import Group, matches
from .objects import Json

AwsError = (BotoCoreError, ClientError)
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})


class Aws:
    def __init__(self, region: str) -> None:
        session = boto3.Session(region_name=region)
        self._autoscaling: Any = session.client("autoscaling", config=_CONFIG)
        self._ec2: Any = session.client("ec2", config=_CONFIG)
        self._eks: Any = session.client("eks", config=_CONFIG)
        self._types: dict[str, Json] = {}

    def groups(self, options: Options) -> list[Group]:
        """Return the groups that the flags select, without templates."""
        found = {group.name: group for wanted in options.discovery for group in self._tagged(wanted)}
        ranges = {each.name: each for each in options.nodes}
        if ranges:
            for raw in self._describe(AutoScalingGroupNames=list(ranges)):
                found[raw["AutoScalingGroupName"]] = _group(raw, ranges[raw["AutoScalingGroupName"]])
        return [found[name] for name in sorted(found)]

    def instance_type(self, group: Group, node_group: Json | None) -> Json | None:
        """Return EC2's description of the type of the group's next instance, or None if the type is unknown."""
        [raw] = self._describe(AutoScalingGroupNames=[group.name])
        mixed = raw.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        name = next((each["InstanceType"] for each in mixed.get("Overrides") or [] if "InstanceType" in each), None)
        template = raw.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
        if name is None and template:
            name = self._type_of_template(template)
        if name is None and node_group and node_group.get("instanceTypes"):
            name = node_group["instanceTypes"][0]
        if name is None:
            return None
        if name not in self._types:
            answer = self._ec2.describe_instance_types(InstanceTypes=[name])
            self._types[name] = answer["InstanceTypes"][0]
        return self._types[name]

    def node_group(self, group: Group) -> Json | None:
        """Return the EKS node group that the tags of the Auto Scaling group name, or None if there is none."""
        cluster, name = group.tags.get("eks:cluster-name"), group.tags.get("eks:nodegroup-name")
        if not cluster or not name:
            return None
        return self._eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]

    def set_size(self, group: Group, size: int) -> None:
        self._autoscaling.set_desired_capacity(
            AutoScalingGroupName=group.name, DesiredCapacity=size, HonorCooldown=False
        )

    def terminate(self, instance_id: str) -> None:
        self._autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
        )

    def _tagged(self, wanted: Mapping[str, str | None]) -> list[Group]:
        filters = [
            {"Name": "tag-key", "Values": [key]} if value is None else {"Name": f"tag:{key}", "Values": [value]}
            for key, value in wanted.items()
        ]
        found = [_group(raw, None) for raw in self._describe(Filters=filters)]
        return [group for group in found if matches(group.tags, [wanted])]

    def _describe(self, **arguments: object) -> Sequence[Json]:
        pages = self._autoscaling.get_paginator("describe_auto_scaling_groups").paginate(**arguments)
        return [raw for page in pages for raw in page["AutoScalingGroups"]]

    def _type_of_template(self, template: Json) -> str | None:
        key = "LaunchTemplateId" if template.get("LaunchTemplateId") else "LaunchTemplateName"
        answer = self._ec2.describe_launch_template_versions(
            **{key: template[key], "Versions": [template.get("Version") or "$Default"]}
        )
        versions: list[Json] = answer["LaunchTemplateVersions"]
        return versions[0]["LaunchTemplateData"].get("InstanceType") if versions else None


def _group(raw: Json, limits: NodeGroupRange | None) -> Group:
    instances: list[Json] = raw.get("Instances") or []
    return Group(
        name=raw["AutoScalingGroupName"],
        minimum=limits.minimum if limits else raw["MinSize"],
        maximum=limits.maximum if limits else raw["MaxSize"],
        desired=raw["DesiredCapacity"],
        instances=tuple(each["InstanceId"] for each in instances),
        zones=tuple(sorted(raw.get("AvailabilityZones") or [])),
        tags={each["Key"]: each.get("Value") or "" for each in raw.get("Tags") or []},
    )
