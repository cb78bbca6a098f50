"""CloudWatch log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    REGION,
    TAGS,
    Problems,
    ServiceHandler,
    change_tags,
    given,
    missing,
    one_of,
    present,
)

RETENTION_DAYS = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class LogGroup(ServiceHandler):
    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    tagged = True
    autoname = AutoName(max_length=512)
    outputs = ("arn",)
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **REGION,
        **TAGS,
        "deletionProtectionEnabled": Field(default=False),
        "kmsKeyId": Field(),
        "logGroupClass": Field(replace=True, default="STANDARD", computed=True),
        "retentionInDays": Field(default=0),
        "skipDestroy": Field(default=False, write_only=True),
    }

    def check(self, inputs: Props) -> Problems:
        return [
            *super().check(inputs),
            *one_of(inputs, "retentionInDays", RETENTION_DAYS),
            *one_of(inputs, "logGroupClass", ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")),
        ]

    def create(self, aws: Aws, inputs: Props) -> str:
        logs, name = self.client(aws, inputs), inputs["name"]
        logs.create_log_group(
            logGroupName=name,
            **given(
                kmsKeyId=inputs.get("kmsKeyId"),
                tags=inputs.get("tags") or None,
                logGroupClass=inputs.get("logGroupClass"),
                deletionProtectionEnabled=inputs.get("deletionProtectionEnabled"),
            ),
        )
        aws.created(name)
        if inputs.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
        return name

    @missing("ResourceNotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        logs = self.client(aws, inputs)
        group = _find(logs, id)
        # The ARN of a group ends in `:*`; the official provider returns it without.
        arn = group["arn"].removesuffix(":*")
        return {
            "name": id,
            "arn": arn,
            "region": self.region(aws, inputs),
            "retentionInDays": group.get("retentionInDays", 0),
            "deletionProtectionEnabled": group.get("deletionProtectionEnabled", False),
            **present(
                kmsKeyId=group.get("kmsKeyId"),
                logGroupClass=group.get("logGroupClass"),
                tags=logs.list_tags_for_resource(resourceArn=arn)["tags"],
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        logs = self.client(aws, new)
        if "retentionInDays" in changed:
            if days := new.get("retentionInDays"):
                logs.put_retention_policy(logGroupName=id, retentionInDays=days)
            else:
                logs.delete_retention_policy(logGroupName=id)
        if "kmsKeyId" in changed:
            if key := new.get("kmsKeyId"):
                logs.associate_kms_key(logGroupName=id, kmsKeyId=key)
            else:
                logs.disassociate_kms_key(logGroupName=id)
        if "deletionProtectionEnabled" in changed:
            logs.put_log_group_deletion_protection(
                logGroupIdentifier=id, deletionProtectionEnabled=new.get("deletionProtectionEnabled", False)
            )
        if "tags" in changed:
            arn = _find(logs, id)["arn"].removesuffix(":*")
            change_tags(
                old,
                new,
                tag=lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
                untag=lambda keys: logs.untag_resource(resourceArn=arn, tagKeys=keys),
            )

    @missing("ResourceNotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        if not state.get("skipDestroy"):
            self.client(aws, state).delete_log_group(logGroupName=id)


def _find(logs: Any, name: str) -> dict[str, Any]:
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name):
        for group in page["logGroups"]:
            if group["logGroupName"] == name:
                return group
    raise NotFoundError(f"log group {name}")


HANDLERS: list[Handler] = [LogGroup()]
