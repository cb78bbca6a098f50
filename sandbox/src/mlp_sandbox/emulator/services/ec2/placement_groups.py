"""Placement groups, which moto lacks. They are names that instances refer to; nothing is placed."""

import re
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.utils import EC2_RESOURCE_TO_PREFIX
from moto.moto_api._internal import mock_random

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.ec2.tags import forget_tags
from mlp_sandbox.emulator.services.registry import Call, Result, extends

EC2_RESOURCE_TO_PREFIX["placement-group"] = "pg"  # else CreateTags rejects its id as malformed

_STRATEGIES = ("cluster", "partition", "spread")
_DEFAULT_PARTITIONS = 2
_MOST_PARTITIONS = 7
"""Limit on partitions: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/placement-strategies.html"""


@extends("ec2", "CreatePlacementGroup")
def create(call: Call) -> Result:
    """Create a group. Its name is unique within a region."""
    params, groups = call.params, call.remembered("placement-groups")
    name, strategy = str(params.get("GroupName") or ""), params.get("Strategy") or "cluster"
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", name):
        raise Fault("InvalidParameterValue", f"Value ({name}) for parameter groupName is invalid.")
    if name in groups:
        raise Fault("InvalidPlacementGroup.Duplicate", f"The placement group '{name}' already exists.")
    if strategy not in _STRATEGIES:
        raise Fault("InvalidParameterValue", f"Value ({strategy}) for parameter strategy is invalid.")
    partitions, spread = params.get("PartitionCount"), params.get("SpreadLevel")
    if partitions is not None and (strategy != "partition" or not 1 <= partitions <= _MOST_PARTITIONS):
        raise Fault("InvalidParameterValue", f"Value ({partitions}) for parameter partitionCount is invalid.")
    if spread is not None and strategy != "spread":
        raise Fault("InvalidParameterCombination", "SpreadLevel can only be used with the strategy 'spread'.")
    group: Result = {
        "GroupName": name,
        "GroupId": f"pg-{mock_random.get_random_hex(17)}",
        "State": "available",
        "Strategy": strategy,
    }
    group["GroupArn"] = (
        f"arn:{_partition(call)}:ec2:{call.identity.region}:{call.identity.account}:placement-group/{name}"
    )
    if strategy == "partition":
        group["PartitionCount"] = partitions or _DEFAULT_PARTITIONS
    if strategy == "spread":
        group["SpreadLevel"] = spread or "rack"
    groups[name] = group
    for spec in params.get("TagSpecifications") or []:
        _backend(call).create_tags([group["GroupId"]], {tag["Key"]: tag.get("Value", "") for tag in spec["Tags"]})
    return {"PlacementGroup": _described(call, group)}


@extends("ec2", "DescribePlacementGroups")
def describe(call: Call) -> Result:
    """Describe groups by name, by id, or by filters."""
    params, groups = call.params, call.remembered("placement-groups")
    names, ids = params.get("GroupNames") or [], params.get("GroupIds") or []
    known = {group["GroupId"] for group in groups.values()}
    for named in [name for name in names if name not in groups] + [id for id in ids if id not in known]:
        raise Fault("InvalidPlacementGroup.Unknown", f"The Placement Group '{named}' is unknown.")
    found = [_described(call, group) for group in groups.values()]
    found = [group for group in found if not names or group["GroupName"] in names]
    found = [group for group in found if not ids or group["GroupId"] in ids]
    for condition in params.get("Filters") or []:
        found = [group for group in found if _matches(group, condition["Name"], condition.get("Values") or [])]
    return {"PlacementGroups": found}


@extends("ec2", "DeletePlacementGroup")
def delete(call: Call) -> Result:
    """Delete a group. AWS rejects this while instances use it, but moto's instances do not record their group."""
    name, groups = str(call.params.get("GroupName") or ""), call.remembered("placement-groups")
    if name not in groups:
        raise Fault("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    forget_tags(call, [groups.pop(name)["GroupId"]])
    return {}


def _described(call: Call, group: Result) -> Result:
    tags = _backend(call).describe_tags(filters={"resource-id": [group["GroupId"]]})
    return group | {"Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]}


def _matches(group: Result, name: str, values: list[str]) -> bool:
    shown = {"group-name": "GroupName", "group-arn": "GroupArn", "state": "State", "strategy": "Strategy"}
    tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
    if name in shown:
        return group[shown[name]] in values
    if name == "spread-level":
        return group.get("SpreadLevel") in values
    if name == "tag-key":
        return any(value in tags for value in values)
    if name.startswith("tag:"):
        return tags.get(name[4:]) in values
    raise Fault("InvalidParameterValue", f"The filter '{name}' is invalid")


def _backend(call: Call) -> Any:
    return ec2_backends[call.identity.account][call.identity.region]


def _partition(call: Call) -> str:
    return str(_backend(call).partition)
