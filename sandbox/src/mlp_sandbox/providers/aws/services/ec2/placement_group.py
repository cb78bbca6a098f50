"""Placement groups, which keep instances close to each other or apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import REGION, TAGS, Problems, between, given, one_of, present
from mlp_sandbox.providers.aws.services.ec2._base import Api, Ec2Handler, Live, arn

STRATEGIES = ("cluster", "partition", "spread")


class PlacementGroup(Ec2Handler):
    token = "aws:ec2/placementGroup:PlacementGroup"
    tagged = True
    autoname = AutoName(max_length=255)
    api = Api(
        *("placement-group", "describe_placement_groups", "GroupNames", "PlacementGroups"),
        ("InvalidPlacementGroup.Unknown",),
    )
    outputs = ("arn", "placementGroupId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "name": Field(replace=True),
        "partitionCount": Field(replace=True, computed=True),
        "spreadLevel": Field(replace=True, computed=True),
        "strategy": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [
            *super().check(inputs),
            *one_of(inputs, "strategy", STRATEGIES),
            *one_of(inputs, "spreadLevel", ("host", "rack")),
            *between(inputs, "partitionCount", 1, 7),
        ]
        if "strategy" not in inputs:
            problems.append(("strategy", f"is missing: give one of {', '.join(STRATEGIES)}"))
        strategy = inputs.get("strategy")
        for field, of in (("partitionCount", "partition"), ("spreadLevel", "spread")):
            if isinstance(strategy, str) and field in inputs and strategy != of:
                problems.append((field, f"is for strategy '{of}', not '{strategy}': leave it out"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        self.client(aws, inputs).create_placement_group(
            GroupName=inputs["name"],
            Strategy=inputs["strategy"],
            **given(PartitionCount=inputs.get("partitionCount"), SpreadLevel=inputs.get("spreadLevel")),
            **self.tagging(inputs),
        )
        return str(inputs["name"])

    def props(self, aws: Aws, id: str, inputs: Props, live: Live) -> Props:
        named = f"placement-group/{live['GroupName']}"
        return {
            "arn": live.get("GroupArn") or arn(self.region(aws, inputs), aws.account_id(), named),
            "name": live["GroupName"],
            "placementGroupId": live["GroupId"],
            "strategy": live["Strategy"],
            **present(partitionCount=live.get("PartitionCount"), spreadLevel=live.get("SpreadLevel")),
        }

    def retag(self, aws: Aws, id: str, old: Props, new: Props) -> None:
        # Tags belong to the group's id, not to its name.
        super().retag(aws, str(self.find(aws, id, new)["GroupId"]), old, new)

    def remove(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_placement_group(GroupName=id)


HANDLERS: list[Handler] = [PlacementGroup()]
