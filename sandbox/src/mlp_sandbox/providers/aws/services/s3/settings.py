"""Settings of an S3 bucket: versioning, encryption, public access, ownership, access logs, policy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    Problems,
    ServiceHandler,
    document,
    from_shape,
    given,
    json_text,
    missing,
    present,
    to_shape,
)

BUCKET = {**REGION, "bucket": Field(replace=True)}
OWNED = {**BUCKET, "expectedBucketOwner": Field(replace=True)}
ABBREVIATED = {
    "id": "ID",
    "uri": "URI",
    "mfaDelete": "MFADelete",
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyId": "KMSMasterKeyID",
}
PUBLIC_ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

Target = dict[str, str]  # Bucket and, where the program names its owner, ExpectedBucketOwner


class BucketSetting(ServiceHandler, ABC):
    """One setting of one bucket; its id is the bucket's name, with `,<account>` where an owner is expected."""

    service = "s3"
    absent: ClassVar[tuple[str, ...]] = ()  # error codes that mean "the bucket has no such setting"

    @abstractmethod
    def put(self, s3: Any, target: Target, inputs: Props) -> None: ...

    @abstractmethod
    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props: ...

    @abstractmethod
    def remove(self, s3: Any, target: Target, state: Props) -> None: ...

    def create(self, aws: Aws, inputs: Props) -> str:
        owner = inputs.get("expectedBucketOwner")
        id = f"{inputs['bucket']},{owner}" if owner else str(inputs["bucket"])
        self.put(self.client(aws, inputs), _target(id), inputs)
        return id

    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        target = _target(id)
        with missing("NoSuchBucket", *self.absent):
            found = self.fetch(self.client(aws, inputs), target, inputs)
        owner = given(expectedBucketOwner=target.get("ExpectedBucketOwner"))
        return {"bucket": target["Bucket"], "region": self.region(aws, inputs), **owner, **found}

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        self.put(self.client(aws, new), _target(id), new)

    def delete(self, aws: Aws, id: str, state: Props) -> None:
        with missing("NoSuchBucket", *self.absent):
            self.remove(self.client(aws, state), _target(id), state)


class BucketVersioning(BucketSetting):
    token = "aws:s3/bucketVersioning:BucketVersioning"
    fields: ClassVar[Mapping[str, Field]] = {
        **OWNED,
        "mfa": Field(write_only=True),
        "versioningConfiguration": Field(),
    }

    def check(self, inputs: Props) -> Problems:
        wanted = inputs.get("versioningConfiguration")
        status = wanted.get("status") if isinstance(wanted, dict) else None
        if not isinstance(status, str) or status in ("Enabled", "Suspended", "Disabled"):
            return []
        return [("versioningConfiguration.status", f"is {status!r}: give Enabled, Suspended or Disabled")]

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        wanted = inputs["versioningConfiguration"]
        if wanted["status"] == "Disabled":
            # S3 has no such status: a bucket is unversioned until versioning is first enabled, and never again
            # afterwards.
            if status := s3.get_bucket_versioning(**target).get("Status"):
                raise ValueError(
                    f"versioning of {target['Bucket']} is {status}: it can be Suspended, not Disabled again"
                )
            return
        arguments = given(MFA=inputs.get("mfa"))
        s3.put_bucket_versioning(**target, VersioningConfiguration=to_shape(wanted, ABBREVIATED), **arguments)

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        found = s3.get_bucket_versioning(**target)
        mfa = given(mfaDelete=found.get("MFADelete"))
        return {"versioningConfiguration": {"status": found.get("Status", "Disabled"), **mfa}}

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        if state["versioningConfiguration"]["status"] == "Enabled":
            s3.put_bucket_versioning(**target, VersioningConfiguration={"Status": "Suspended"})


class BucketServerSideEncryptionConfiguration(BucketSetting):
    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    absent = ("ServerSideEncryptionConfigurationNotFoundError",)
    fields: ClassVar[Mapping[str, Field]] = {**OWNED, "rules": Field(kind="set")}

    def check(self, inputs: Props) -> Problems:
        rules = inputs.get("rules")
        if isinstance(rules, list) and len(rules) != 1:
            return [("rules", f"has {len(rules)} rules: S3 takes exactly one")]
        return []

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        rules = to_shape(inputs["rules"], ABBREVIATED)
        for rule in rules:
            if "BlockedEncryptionTypes" in rule:
                rule["BlockedEncryptionTypes"] = {"EncryptionType": rule["BlockedEncryptionTypes"]}
        s3.put_bucket_encryption(**target, ServerSideEncryptionConfiguration={"Rules": rules})

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        found = s3.get_bucket_encryption(**target)["ServerSideEncryptionConfiguration"]
        rules = from_shape(found["Rules"], ABBREVIATED)
        for rule in rules:
            if "blockedEncryptionTypes" in rule:
                rule["blockedEncryptionTypes"] = rule["blockedEncryptionTypes"].get("encryptionType", [])
            rule.setdefault("bucketKeyEnabled", False)
        return {"rules": rules}

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        s3.delete_bucket_encryption(**target)


class BucketPublicAccessBlock(BucketSetting):
    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    absent = ("NoSuchPublicAccessBlockConfiguration",)
    fields: ClassVar[Mapping[str, Field]] = {
        **BUCKET,
        **{name: Field(default=False) for name in PUBLIC_ACCESS},
        "skipDestroy": Field(write_only=True),
    }

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        wanted = {name: inputs.get(name, False) for name in PUBLIC_ACCESS}
        s3.put_public_access_block(**target, PublicAccessBlockConfiguration=to_shape(wanted))

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        return from_shape(s3.get_public_access_block(**target)["PublicAccessBlockConfiguration"])

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        if not state.get("skipDestroy"):
            s3.delete_public_access_block(**target)


class BucketOwnershipControls(BucketSetting):
    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    absent = ("OwnershipControlsNotFoundError",)
    fields: ClassVar[Mapping[str, Field]] = {**BUCKET, "rule": Field()}

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        s3.put_bucket_ownership_controls(**target, OwnershipControls={"Rules": [to_shape(inputs["rule"])]})

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        [rule] = s3.get_bucket_ownership_controls(**target)["OwnershipControls"]["Rules"]
        return {"rule": from_shape(rule)}

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        s3.delete_bucket_ownership_controls(**target)


class BucketLogging(BucketSetting):
    token = "aws:s3/bucketLogging:BucketLogging"
    fields: ClassVar[Mapping[str, Field]] = {
        **OWNED,
        "targetBucket": Field(),
        "targetGrants": Field(kind="set"),
        "targetObjectKeyFormat": Field(computed=True),
        "targetPrefix": Field(default=""),
    }

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        wanted = {"targetPrefix": "", **{name: inputs[name] for name in self.fields if name in inputs}}
        wanted = {name: value for name, value in wanted.items() if name not in OWNED}
        s3.put_bucket_logging(**target, BucketLoggingStatus={"LoggingEnabled": to_shape(wanted, ABBREVIATED)})

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        found = s3.get_bucket_logging(**target).get("LoggingEnabled")
        if not found:
            raise NotFoundError(f"the bucket {target['Bucket']} logs no access")
        return {"targetPrefix": "", **from_shape(found, ABBREVIATED)}

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        s3.put_bucket_logging(**target, BucketLoggingStatus={})


class BucketPolicy(BucketSetting):
    token = "aws:s3/bucketPolicy:BucketPolicy"
    absent = ("NoSuchBucketPolicy",)
    fields: ClassVar[Mapping[str, Field]] = {**BUCKET, "policy": Field(kind="json")}

    def check(self, inputs: Props) -> Problems:
        return json_text(inputs, "policy")

    def put(self, s3: Any, target: Target, inputs: Props) -> None:
        s3.put_bucket_policy(**target, Policy=inputs["policy"])

    def fetch(self, s3: Any, target: Target, inputs: Props) -> Props:
        return present(policy=document(s3.get_bucket_policy(**target)["Policy"], inputs.get("policy")))

    def remove(self, s3: Any, target: Target, state: Props) -> None:
        s3.delete_bucket_policy(**target)


def _target(id: str) -> Target:
    bucket, _, owner = id.partition(",")
    return {"Bucket": bucket, "ExpectedBucketOwner": owner} if owner else {"Bucket": bucket}


HANDLERS: list[Handler] = [
    BucketVersioning(),
    BucketServerSideEncryptionConfiguration(),
    BucketPublicAccessBlock(),
    BucketOwnershipControls(),
    BucketLogging(),
    BucketPolicy(),
]
