"""Single tags of Auto Scaling groups that another service makes, such as those of EKS node groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import REGION, Problems, ServiceHandler, missing
from mlp_sandbox.providers.values import Unknown

GROUP = "auto-scaling-group"
PARTS = ("key", "propagateAtLaunch", "value")


class Tag(ServiceHandler):
    token = "aws:autoscaling/tag:Tag"
    service = "autoscaling"
    delete_before_replace = True  # otherwise deleting the old tag would delete the new one when both have the same key
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "autoscalingGroupName": Field(replace=True),
        "tag": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        tag = inputs.get("tag")
        if not isinstance(tag, dict):
            return [] if isinstance(tag, Unknown) else [("tag", "is missing: give key, value and propagateAtLaunch")]
        return [("tag", f"lacks {part}") for part in PARTS if part not in tag]

    def create(self, aws: Aws, inputs: Props) -> str:
        self._set(aws, inputs)
        return f"{inputs['autoscalingGroupName']},{inputs['tag']['key']}"

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        group, key = _parts(id)
        filters = [{"Name": "auto-scaling-group", "Values": [group]}, {"Name": "key", "Values": [key]}]
        pages = self.client(aws, inputs).get_paginator("describe_tags").paginate(Filters=filters)
        for tag in (tag for page in pages for tag in page["Tags"]):
            if tag["ResourceId"] == group and tag["Key"] == key:
                return {
                    "autoscalingGroupName": group,
                    "region": self.region(aws, inputs),
                    "tag": {
                        "key": key,
                        "value": tag.get("Value", ""),
                        "propagateAtLaunch": tag.get("PropagateAtLaunch", False),
                    },
                }
        raise NotFoundError(f"tag {key} of the Auto Scaling group {group}")

    def replaces(self, old: Props, new: Props, changed: set[str]) -> set[str]:
        """Replace the tag when its key changes, because another key is another tag."""
        before, after = old.get("tag"), new.get("tag")
        if isinstance(before, dict) and isinstance(after, dict) and before.get("key") == after.get("key"):
            return set()
        return changed & {"tag"}

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self._set(aws, new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        group, key = _parts(id)
        # The group may be gone together with its node group: EC2 Auto Scaling reports that with a ValidationError.
        with missing("ValidationError"):
            self.client(aws, state).delete_tags(Tags=[{"ResourceId": group, "ResourceType": GROUP, "Key": key}])

    def _set(self, aws: Aws, inputs: Props) -> None:
        tag: dict[str, Any] = inputs["tag"]
        self.client(aws, inputs).create_or_update_tags(
            Tags=[
                {
                    "ResourceId": inputs["autoscalingGroupName"],
                    "ResourceType": GROUP,
                    "Key": tag["key"],
                    "Value": tag["value"],
                    "PropagateAtLaunch": tag["propagateAtLaunch"],
                }
            ]
        )


def _parts(id: str) -> tuple[str, str]:
    group, separator, key = id.partition(",")
    if not separator or not key:
        raise ValueError(f"the id {id!r} is not of the form auto-scaling-group-name,key")
    return group, key


HANDLERS: list[Handler] = [Tag()]
