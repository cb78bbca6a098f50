"""IAM policies: managed policies, inline policies of roles, and attachments to roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    TAGS,
    Problems,
    ServiceHandler,
    change_tags,
    document,
    from_pairs,
    given,
    json_text,
    missing,
    present,
    to_pairs,
)

MOST_VERSIONS = 5


class Policy(ServiceHandler):
    token = "aws:iam/policy:Policy"
    service = "iam"
    tagged = True
    autoname = AutoName(max_length=128)
    outputs = ("arn", "attachmentCount", "policyId")
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **TAGS,
        "delayAfterPolicyCreationInMs": Field(write_only=True),
        "description": Field(replace=True),
        "path": Field(replace=True, default="/"),
        "policy": Field(kind="json"),
    }

    def check(self, inputs: Props) -> Problems:
        return [*super().check(inputs), *json_text(inputs, "policy")]

    def create(self, aws: Aws, inputs: Props) -> str:
        reply = self.client(aws, {}).create_policy(
            PolicyName=inputs["name"],
            PolicyDocument=inputs["policy"],
            Path=inputs.get("path", "/"),
            Tags=to_pairs(inputs.get("tags")),
            **given(Description=inputs.get("description")),
        )
        return str(reply["Policy"]["Arn"])

    @missing("NoSuchEntity")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        iam = self.client(aws, {})
        policy = iam.get_policy(PolicyArn=id)["Policy"]
        version = iam.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        return {
            "name": policy["PolicyName"],
            "arn": policy["Arn"],
            "policyId": policy["PolicyId"],
            "attachmentCount": policy.get("AttachmentCount", 0),
            "path": policy["Path"],
            **present(
                description=policy.get("Description"),
                policy=document(version["Document"], inputs.get("policy")),
                tags=from_pairs(policy.get("Tags")),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        iam = self.client(aws, {})
        if "policy" in changed:
            spare = _spare_versions(iam, id)
            # AWS keeps five versions and rejects a sixth: the oldest is deleted first.
            if len(spare) + 1 >= MOST_VERSIONS:
                iam.delete_policy_version(PolicyArn=id, VersionId=spare[0])
            iam.create_policy_version(PolicyArn=id, PolicyDocument=new["policy"], SetAsDefault=True)
        if "tags" in changed:
            change_tags(
                old,
                new,
                tag=lambda tags: iam.tag_policy(PolicyArn=id, Tags=to_pairs(tags)),
                untag=lambda keys: iam.untag_policy(PolicyArn=id, TagKeys=keys),
            )

    @missing("NoSuchEntity")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        iam = self.client(aws, {})
        for version in _spare_versions(iam, id):
            iam.delete_policy_version(PolicyArn=id, VersionId=version)
        iam.delete_policy(PolicyArn=id)


class RolePolicy(ServiceHandler):
    token = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    autoname = AutoName(max_length=128)
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        "policy": Field(kind="json"),
        "role": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        return [*super().check(inputs), *json_text(inputs, "policy")]

    def create(self, aws: Aws, inputs: Props) -> str:
        self._put(aws, inputs["role"], inputs["name"], inputs["policy"])
        return f"{inputs['role']}:{inputs['name']}"

    @missing("NoSuchEntity")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        role, name = _split(id, ":", "<role name>:<policy name>")
        found = self.client(aws, {}).get_role_policy(RoleName=role, PolicyName=name)
        policy = document(found["PolicyDocument"], inputs.get("policy"))
        return {"role": role, "name": name, "policy": policy}

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        role, name = _split(id, ":", "<role name>:<policy name>")
        self._put(aws, role, name, new["policy"])

    @missing("NoSuchEntity")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        role, name = _split(id, ":", "<role name>:<policy name>")
        self.client(aws, {}).delete_role_policy(RoleName=role, PolicyName=name)

    def _put(self, aws: Aws, role: str, name: str, policy: str) -> None:
        self.client(aws, {}).put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)


class RolePolicyAttachment(ServiceHandler):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    fields: ClassVar[Mapping[str, Field]] = {"policyArn": Field(replace=True), "role": Field(replace=True)}

    def create(self, aws: Aws, inputs: Props) -> str:
        self.client(aws, {}).attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    @missing("NoSuchEntity")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        role, arn = _split(id, "/", "<role name>/<policy ARN>")
        pages = self.client(aws, {}).get_paginator("list_attached_role_policies").paginate(RoleName=role)
        if not any(policy["PolicyArn"] == arn for page in pages for policy in page["AttachedPolicies"]):
            raise NotFoundError(f"{arn} is not attached to {role}")
        return {"role": role, "policyArn": arn}

    @missing("NoSuchEntity")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        role, arn = _split(id, "/", "<role name>/<policy ARN>")
        self.client(aws, {}).detach_role_policy(RoleName=role, PolicyArn=arn)


def _spare_versions(iam: Any, arn: str) -> list[str]:
    """Return the versions other than the default one, the oldest first."""
    pages = iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn)
    versions = [item for page in pages for item in page["Versions"] if not item["IsDefaultVersion"]]
    return sorted((item["VersionId"] for item in versions), key=lambda version: int(version.removeprefix("v")))


def _split(id: str, separator: str, form: str) -> tuple[str, str]:
    first, found, rest = id.partition(separator)
    if not found:
        raise ValueError(f"the id {id!r} is not of the form {form}")
    return first, rest


HANDLERS: list[Handler] = [Policy(), RolePolicy(), RolePolicyAttachment()]
