"""Secrets Manager entries and their resource policies. Secret values are never handled here."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    NAMED,
    REGION,
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
    parse_json,
    present,
    to_pairs,
    to_shape,
)

LONGEST_WINDOW = 30


class Secret(ServiceHandler):
    token = "aws:secretsmanager/secret:Secret"
    service = "secretsmanager"
    tagged = True
    autoname = AutoName(max_length=512)
    outputs = ("arn",)
    fields: ClassVar[Mapping[str, Field]] = {
        **NAMED,
        **REGION,
        **TAGS,
        "description": Field(),
        "forceOverwriteReplicaSecret": Field(default=False, write_only=True),
        "kmsKeyId": Field(),
        "policy": Field(kind="json", computed=True),
        "recoveryWindowInDays": Field(default=LONGEST_WINDOW, write_only=True),
        "replicas": Field(kind="set", computed=True),
        "type": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        return [
            *super().check(inputs),
            *between(inputs, "recoveryWindowInDays", 7, LONGEST_WINDOW, also=(0,)),
            *(json_text(inputs, "policy") if inputs.get("policy") else []),
        ]

    def create(self, aws: Aws, inputs: Props) -> str:
        secrets = self.client(aws, inputs)
        # While a deleted secret of this name waits for the end of its recovery window, AWS rejects the call and says
        # why.
        arn = secrets.create_secret(
            Name=inputs["name"],
            Description=inputs.get("description", ""),
            ForceOverwriteReplicaSecret=inputs.get("forceOverwriteReplicaSecret", False),
            Tags=to_pairs(inputs.get("tags")),
            **given(
                KmsKeyId=inputs.get("kmsKeyId"),
                Type=inputs.get("type"),
                AddReplicaRegions=to_shape(inputs.get("replicas")),
            ),
        )["ARN"]
        aws.created(arn)
        if parse_json(inputs.get("policy")):
            secrets.put_resource_policy(SecretId=arn, ResourcePolicy=inputs["policy"])
        return arn

    @missing("ResourceNotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        secrets = self.client(aws, inputs)
        found = secrets.describe_secret(SecretId=id)
        if found.get("DeletedDate"):
            return None
        policy = secrets.get_resource_policy(SecretId=id).get("ResourcePolicy")
        replicas = [
            given(region=replica["Region"], kmsKeyId=replica.get("KmsKeyId"), status=replica.get("Status"))
            for replica in found.get("ReplicationStatus", [])
        ]
        return {
            "name": found["Name"],
            "arn": found["ARN"],
            "region": self.region(aws, inputs),
            **present(
                description=found.get("Description"),
                kmsKeyId=found.get("KmsKeyId"),
                type=found.get("Type"),
                policy=document(policy, inputs.get("policy")),
                replicas=replicas,
                tags=from_pairs(found.get("Tags")),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        secrets = self.client(aws, new)
        if "replicas" in changed:
            self._replicate(secrets, id, old, new)
        if changed & {"description", "kmsKeyId"}:
            secrets.update_secret(SecretId=id, Description=new.get("description", ""), KmsKeyId=new.get("kmsKeyId", ""))
        if "policy" in changed and new.get("policy"):
            if parse_json(new["policy"]):
                secrets.put_resource_policy(SecretId=id, ResourcePolicy=new["policy"])
            else:
                secrets.delete_resource_policy(SecretId=id)
        if "tags" in changed:
            change_tags(
                old,
                new,
                tag=lambda tags: secrets.tag_resource(SecretId=id, Tags=to_pairs(tags)),
                untag=lambda keys: secrets.untag_resource(SecretId=id, TagKeys=keys),
            )

    @missing("ResourceNotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        secrets = self.client(aws, state)
        found = secrets.describe_secret(SecretId=id)
        if found.get("DeletedDate"):
            return
        if replicas := found.get("ReplicationStatus"):
            regions = [replica["Region"] for replica in replicas]
            secrets.remove_regions_from_replication(SecretId=id, RemoveReplicaRegions=regions)
        window = state.get("recoveryWindowInDays", LONGEST_WINDOW)
        how = {"RecoveryWindowInDays": window} if window else {"ForceDeleteWithoutRecovery": True}
        secrets.delete_secret(SecretId=id, **how)

    @staticmethod
    def _replicate(secrets: Any, id: str, old: Props, new: Props) -> None:
        before = {replica["region"]: replica.get("kmsKeyId") for replica in old.get("replicas", [])}
        after = {replica["region"]: replica for replica in new.get("replicas", [])}
        keep = {region for region, key in before.items() if region in after and after[region].get("kmsKeyId") == key}
        if gone := sorted(before.keys() - keep):
            secrets.remove_regions_from_replication(SecretId=id, RemoveReplicaRegions=gone)
        if added := [to_shape(replica) for region, replica in after.items() if region not in keep]:
            secrets.replicate_secret_to_regions(
                SecretId=id,
                AddReplicaRegions=added,
                ForceOverwriteReplicaSecret=new.get("forceOverwriteReplicaSecret", False),
            )


class SecretPolicy(ServiceHandler):
    token = "aws:secretsmanager/secretPolicy:SecretPolicy"
    service = "secretsmanager"
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "blockPublicPolicy": Field(write_only=True),
        "policy": Field(kind="json"),
        "secretArn": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        if inputs.get("policy") in ("", "{}"):
            return [("policy", "is empty: give a policy document, or delete the resource")]
        return json_text(inputs, "policy")

    def create(self, aws: Aws, inputs: Props) -> str:
        self._put(aws, inputs)
        return str(inputs["secretArn"])

    @missing("ResourceNotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        secrets = self.client(aws, inputs)
        with _pending_deletion_is_gone():
            policy = secrets.get_resource_policy(SecretId=id).get("ResourcePolicy")
        if not policy:
            raise NotFoundError(f"{id} has no resource policy")
        return {
            "secretArn": id,
            "region": self.region(aws, inputs),
            "policy": document(policy, inputs.get("policy")),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self._put(aws, new)

    @missing("ResourceNotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with _pending_deletion_is_gone():
            self.client(aws, state).delete_resource_policy(SecretId=id)

    def _put(self, aws: Aws, inputs: Props) -> None:
        self.client(aws, inputs).put_resource_policy(
            SecretId=inputs["secretArn"],
            ResourcePolicy=inputs["policy"],
            **given(BlockPublicPolicy=inputs.get("blockPublicPolicy")),
        )


@contextmanager
def _pending_deletion_is_gone() -> Generator[None]:
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        if details.get("Code") == "InvalidRequestException" and "marked for deletion" in str(details.get("Message")):
            raise NotFoundError(str(error)) from error
        raise


HANDLERS: list[Handler] = [Secret(), SecretPolicy()]
