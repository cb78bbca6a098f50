"""IAM roles and OpenID Connect providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    TAGS,
    Problems,
    ServiceHandler,
    between,
    change_tags,
    document,
    from_pairs,
    given,
    json_text,
    missing,
    present,
    to_pairs,
)
from mlp_sandbox.providers.aws.services._waiting import refused

HOUR = 3600


class Role(ServiceHandler):
    token = "aws:iam/role:Role"
    service = "iam"
    tagged = True
    autoname = AutoName(max_length=64)
    outputs = ("arn", "createDate", "uniqueId")
    unsupported: ClassVar[Mapping[str, str]] = {
        "inlinePolicies": "use an aws.iam.RolePolicy for each inline policy",
        "managedPolicyArns": "use an aws.iam.RolePolicyAttachment for each managed policy",
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **TAGS,
        "assumeRolePolicy": Field(kind="json"),
        "description": Field(),
        "forceDetachPolicies": Field(default=False, write_only=True),
        "inlinePolicies": Field(computed=True),
        "managedPolicyArns": Field(kind="set", computed=True),
        "maxSessionDuration": Field(default=HOUR),
        "path": Field(replace=True, default="/"),
        "permissionsBoundary": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        return [
            *super().check(inputs),
            *refused(inputs, self.unsupported, also_empty=True),
            *between(inputs, "maxSessionDuration", HOUR, 12 * HOUR),
            *json_text(inputs, "assumeRolePolicy"),
        ]

    def create(self, aws: Aws, inputs: Props) -> str:
        self.client(aws, {}).create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Path=inputs.get("path", "/"),
            MaxSessionDuration=inputs.get("maxSessionDuration", HOUR),
            Tags=to_pairs(inputs.get("tags")),
            **given(
                Description=inputs.get("description"),
                PermissionsBoundary=inputs.get("permissionsBoundary"),
            ),
        )
        return str(inputs["name"])

    @missing("NoSuchEntity")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        role = self.client(aws, {}).get_role(RoleName=id)["Role"]
        return {
            "name": role["RoleName"],
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "path": role["Path"],
            "maxSessionDuration": role.get("MaxSessionDuration", HOUR),
            **present(
                assumeRolePolicy=document(role.get("AssumeRolePolicyDocument"), inputs.get("assumeRolePolicy")),
                description=role.get("Description"),
                permissionsBoundary=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
                tags=from_pairs(role.get("Tags")),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        iam = self.client(aws, {})
        if "assumeRolePolicy" in changed:
            iam.update_assume_role_policy(RoleName=id, PolicyDocument=new["assumeRolePolicy"])
        if changed & {"description", "maxSessionDuration"}:
            iam.update_role(
                RoleName=id,
                Description=new.get("description", ""),
                MaxSessionDuration=new.get("maxSessionDuration", HOUR),
            )
        if "permissionsBoundary" in changed:
            if boundary := new.get("permissionsBoundary"):
                iam.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
            else:
                iam.delete_role_permissions_boundary(RoleName=id)
        if "tags" in changed:
            change_tags(
                old,
                new,
                tag=lambda tags: iam.tag_role(RoleName=id, Tags=to_pairs(tags)),
                untag=lambda keys: iam.untag_role(RoleName=id, TagKeys=keys),
            )

    @missing("NoSuchEntity")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        iam = self.client(aws, {})
        for profile in _all(iam, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=id):
            iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=id)
        if state.get("forceDetachPolicies"):
            for policy in _all(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=id):
                iam.detach_role_policy(RoleName=id, PolicyArn=policy["PolicyArn"])
            for name in _all(iam, "list_role_policies", "PolicyNames", RoleName=id):
                iam.delete_role_policy(RoleName=id, PolicyName=name)
        iam.delete_role(RoleName=id)


class OpenIdConnectProvider(ServiceHandler):
    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    service = "iam"
    tagged = True
    outputs = ("arn",)
    fields: ClassVar[Mapping[str, Field]] = {
        **TAGS,
        "clientIdLists": Field(kind="set"),
        "thumbprintLists": Field(computed=True),
        "url": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        url, problems = inputs.get("url"), []
        if isinstance(url, str) and not url.startswith("https://"):
            problems.append(("url", f"is {url!r}: begin it with 'https://'"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        reply = self.client(aws, {}).create_open_id_connect_provider(
            Url=inputs["url"],
            ClientIDList=inputs["clientIdLists"],
            Tags=to_pairs(inputs.get("tags")),
            **given(ThumbprintList=inputs.get("thumbprintLists")),
        )
        return str(reply["OpenIDConnectProviderArn"])

    @missing("NoSuchEntity")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        provider = self.client(aws, {}).get_open_id_connect_provider(OpenIDConnectProviderArn=id)
        # AWS keeps the URL without its scheme; the input has it.
        return {
            "arn": id,
            "url": f"https://{provider['Url'].removeprefix('https://')}",
            "clientIdLists": provider.get("ClientIDList", []),
            **present(thumbprintLists=provider.get("ThumbprintList"), tags=from_pairs(provider.get("Tags"))),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        iam = self.client(aws, {})
        if "clientIdLists" in changed:
            before, after = set(old.get("clientIdLists", [])), set(new["clientIdLists"])
            for client in sorted(after - before):
                iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=id, ClientID=client)
            for client in sorted(before - after):
                iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=id, ClientID=client)
        if "thumbprintLists" in changed and new.get("thumbprintLists"):
            iam.update_open_id_connect_provider_thumbprint(
                OpenIDConnectProviderArn=id, ThumbprintList=new["thumbprintLists"]
            )
        if "tags" in changed:
            change_tags(
                old,
                new,
                tag=lambda tags: iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=id, Tags=to_pairs(tags)),
                untag=lambda keys: iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=id, TagKeys=keys),
            )

    @missing("NoSuchEntity")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        iam = self.client(aws, {})
        # AWS does not report whether the provider existed: a second deletion succeeds.
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=id)


def _all(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """Return all items, read before the first is removed, because removals move the page boundaries."""
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]


HANDLERS: list[Handler] = [Role(), OpenIdConnectProvider()]
