"""KMS keys and aliases."""

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
    between,
    change_tags,
    document,
    from_pairs,
    given,
    json_text,
    missing,
    one_of,
    present,
    to_pairs,
)

SYMMETRIC = "SYMMETRIC_DEFAULT"
LONGEST_WINDOW = 30


class Key(ServiceHandler):
    token = "aws:kms/key:Key"
    service = "kms"
    tagged = True
    outputs = ("arn", "keyId")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "bypassPolicyLockoutSafetyCheck": Field(default=False, write_only=True),
        "customKeyStoreId": Field(replace=True),
        "customerMasterKeySpec": Field(replace=True, default=SYMMETRIC),
        "deletionWindowInDays": Field(write_only=True),
        "description": Field(computed=True),
        "enableKeyRotation": Field(default=False),
        "isEnabled": Field(default=True),
        "keyUsage": Field(replace=True, default="ENCRYPT_DECRYPT"),
        "multiRegion": Field(replace=True, default=False),
        "policy": Field(kind="json", computed=True),
        "rotationPeriodInDays": Field(computed=True),
        "xksKeyId": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [
            *between(inputs, "deletionWindowInDays", 7, LONGEST_WINDOW),
            *between(inputs, "rotationPeriodInDays", 90, 2560),
            *one_of(inputs, "keyUsage", ("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")),
            *json_text(inputs, "policy"),
        ]
        if inputs.get("enableKeyRotation") is True and inputs.get("customerMasterKeySpec", SYMMETRIC) != SYMMETRIC:
            problems.append(("enableKeyRotation", f"only a {SYMMETRIC} key rotates: leave it out for this key spec"))
        if "rotationPeriodInDays" in inputs and not inputs.get("enableKeyRotation", False):
            problems.append(("rotationPeriodInDays", "takes effect with rotation only: set enableKeyRotation to true"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        kms = self.client(aws, inputs)
        store, external = inputs.get("customKeyStoreId"), inputs.get("xksKeyId")
        key = kms.create_key(
            KeySpec=inputs.get("customerMasterKeySpec", SYMMETRIC),
            KeyUsage=inputs.get("keyUsage", "ENCRYPT_DECRYPT"),
            BypassPolicyLockoutSafetyCheck=inputs.get("bypassPolicyLockoutSafetyCheck", False),
            Tags=to_pairs(inputs.get("tags"), "TagKey", "TagValue"),
            **given(
                Policy=inputs.get("policy"),
                Description=inputs.get("description"),
                MultiRegion=inputs.get("multiRegion"),
                CustomKeyStoreId=store,
                XksKeyId=external,
                Origin="EXTERNAL_KEY_STORE" if external else "AWS_CLOUDHSM" if store else None,
            ),
        )["KeyMetadata"]["KeyId"]
        aws.created(key)
        if inputs.get("enableKeyRotation"):
            self._rotate(kms, key, inputs)
        if inputs.get("isEnabled", True) is False:
            kms.disable_key(KeyId=key)
        return key

    @missing("NotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        kms = self.client(aws, inputs)
        key = kms.describe_key(KeyId=id)["KeyMetadata"]
        if key["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
            return None
        rotation: dict[str, Any] = {}
        if key.get("KeySpec", SYMMETRIC) == SYMMETRIC and not key.get("CustomKeyStoreId"):
            rotation = kms.get_key_rotation_status(KeyId=id)
        policy = kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"]
        tags = kms.list_resource_tags(KeyId=id).get("Tags")
        return {
            "arn": key["Arn"],
            "keyId": key["KeyId"],
            "region": self.region(aws, inputs),
            "customerMasterKeySpec": key.get("KeySpec", SYMMETRIC),
            "keyUsage": key["KeyUsage"],
            "isEnabled": key["Enabled"],
            "multiRegion": key.get("MultiRegion", False),
            "enableKeyRotation": rotation.get("KeyRotationEnabled", False),
            **present(
                description=key.get("Description"),
                policy=document(policy, inputs.get("policy")),
                rotationPeriodInDays=rotation.get("RotationPeriodInDays"),
                customKeyStoreId=key.get("CustomKeyStoreId"),
                xksKeyId=key.get("XksKeyConfiguration", {}).get("Id"),
                tags=from_pairs(tags, "TagKey", "TagValue"),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        kms = self.client(aws, new)
        enabled = new.get("isEnabled", True)
        # A disabled key accepts no change of rotation: enable first, disable last.
        if "isEnabled" in changed and enabled:
            kms.enable_key(KeyId=id)
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            self._rotate(kms, id, new)
        if "description" in changed:
            kms.update_key_description(KeyId=id, Description=new.get("description", ""))
        if "policy" in changed and new.get("policy"):
            kms.put_key_policy(
                KeyId=id,
                PolicyName="default",
                Policy=new["policy"],
                BypassPolicyLockoutSafetyCheck=new.get("bypassPolicyLockoutSafetyCheck", False),
            )
        if "isEnabled" in changed and not enabled:
            kms.disable_key(KeyId=id)
        if "tags" in changed:
            change_tags(
                old,
                new,
                tag=lambda tags: kms.tag_resource(KeyId=id, Tags=to_pairs(tags, "TagKey", "TagValue")),
                untag=lambda keys: kms.untag_resource(KeyId=id, TagKeys=keys),
            )

    @missing("NotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        kms = self.client(aws, state)
        if kms.describe_key(KeyId=id)["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return
        kms.schedule_key_deletion(KeyId=id, PendingWindowInDays=state.get("deletionWindowInDays") or LONGEST_WINDOW)

    @staticmethod
    def _rotate(kms: Any, key: str, inputs: Props) -> None:
        if inputs.get("enableKeyRotation"):
            kms.enable_key_rotation(KeyId=key, **given(RotationPeriodInDays=inputs.get("rotationPeriodInDays")))
        else:
            kms.disable_key_rotation(KeyId=key)


class Alias(ServiceHandler):
    token = "aws:kms/alias:Alias"
    service = "kms"
    autoname = AutoName(prefix="alias/", max_length=256)
    outputs = ("arn", "targetKeyArn")
    fields: ClassVar[Mapping[str, Field]] = {**NAMED, **REGION, "targetKeyId": Field()}

    def check(self, inputs: Props) -> Problems:
        problems = super().check(inputs)
        for field in ("name", "namePrefix"):
            value = inputs.get(field)
            if isinstance(value, str) and not value.startswith("alias/"):
                problems.append((field, f"is {value!r}: begin it with 'alias/'"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        name = inputs["name"]
        self.client(aws, inputs).create_alias(AliasName=name, TargetKeyId=_key_id(inputs["targetKeyId"]))
        return name

    @missing("NotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        kms = self.client(aws, inputs)
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == id and "TargetKeyId" in alias:
                    return self._props(aws, inputs, alias)
        raise NotFoundError(f"alias {id}")

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self.client(aws, new).update_alias(AliasName=id, TargetKeyId=_key_id(new["targetKeyId"]))

    @missing("NotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_alias(AliasName=id)

    def _props(self, aws: Aws, inputs: Props, alias: dict[str, Any]) -> Props:
        key, arn = alias["TargetKeyId"], alias["AliasArn"]
        key_arn = f"{arn.rsplit(':', 1)[0]}:key/{key}"
        # The program may name the key by ARN; both name the same key.
        shown = key_arn if inputs.get("targetKeyId") == key_arn else key
        return {
            "name": alias["AliasName"],
            "arn": arn,
            "region": self.region(aws, inputs),
            "targetKeyId": shown,
            "targetKeyArn": key_arn,
        }


def _key_id(key: str) -> str:
    return key.rsplit("/", 1)[-1]


HANDLERS: list[Handler] = [Key(), Alias()]
