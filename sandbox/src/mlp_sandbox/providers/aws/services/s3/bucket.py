"""S3 buckets. Their settings are resources of their own, in the other modules of this package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    TAGS,
    Problems,
    ServiceHandler,
    error_code,
    from_pairs,
    missing,
    present,
    to_pairs,
)
from mlp_sandbox.providers.aws.services._waiting import refused

GONE = ("404", "NoSuchBucket")
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
BATCH = 1000  # objects that one DeleteObjects call takes
# Hosted zones of website endpoints in Route 53: https://docs.aws.amazon.com/general/latest/gr/s3.html
HOSTED_ZONES = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-central-1": "Z21DNDUVLTQW6Q",
}
# Deprecated inputs of the official provider, and the resource that replaced each.
MOVED = {
    "accelerationStatus": "BucketAccelerateConfiguration",
    "acl": "BucketAcl",
    "corsRules": "BucketCorsConfiguration",
    "grants": "BucketAcl",
    "lifecycleRules": "BucketLifecycleConfiguration",
    "logging": "BucketLogging",
    "objectLockConfiguration": "BucketObjectLockConfiguration",
    "policy": "BucketPolicy",
    "replicationConfiguration": "BucketReplicationConfig",
    "requestPayer": "BucketRequestPaymentConfiguration",
    "serverSideEncryptionConfiguration": "BucketServerSideEncryptionConfiguration",
    "versioning": "BucketVersioning",
    "website": "BucketWebsiteConfiguration",
}


class Bucket(ServiceHandler):
    token = "aws:s3/bucket:Bucket"
    service = "s3"
    tagged = True
    autoname = AutoName(field="bucket", lowercase=True, max_length=63)
    outputs = ("arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "hostedZoneId")
    unsupported: ClassVar[Mapping[str, str]] = {
        field: f"deprecated, use an aws.s3.{resource} resource" for field, resource in MOVED.items()
    }
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        **{name: Field(computed=True) for name in MOVED},
        "bucket": Field(replace=True),
        "bucketNamespace": Field(replace=True, default="global", write_only=True),
        "bucketPrefix": Field(replace=True, write_only=True),
        "forceDestroy": Field(default=False, write_only=True),
        "objectLockEnabled": Field(replace=True, default=False),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *refused(inputs, self.unsupported, also_empty=True)]
        name = inputs.get("bucket")
        if isinstance(name, str) and not NAME.fullmatch(name):
            problems.append(
                ("bucket", f"is {name!r}: 3 to 63 of a-z, 0-9, '.' and '-', beginning and ending with a-z0-9")
            )
        if isinstance(inputs.get("bucketNamespace"), str) and inputs["bucketNamespace"] != "global":
            problems.append(("bucketNamespace", f"is {inputs['bucketNamespace']!r}: only 'global' is supported here"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        s3, name, region = self.client(aws, inputs), inputs["bucket"], self.region(aws, inputs)
        # In us-east-1 creating a bucket that the account already owns succeeds, and two resources would own it.
        if _exists(s3, name):
            raise ValueError(f"BucketAlreadyExists: the bucket {name} exists; import it or choose another name")
        arguments: dict[str, Any] = {}
        if region != "us-east-1":
            arguments["CreateBucketConfiguration"] = {"LocationConstraint": region}
        if inputs.get("objectLockEnabled"):
            arguments["ObjectLockEnabledForBucket"] = True
        s3.create_bucket(Bucket=name, **arguments)
        aws.created(name)
        if inputs.get("tags"):
            self._tag(s3, name, inputs)
        return name

    @missing(*GONE)
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        s3 = self.client(aws, inputs)
        s3.head_bucket(Bucket=id)
        region = s3.get_bucket_location(Bucket=id).get("LocationConstraint") or "us-east-1"
        return {
            "bucket": id,
            "arn": f"arn:aws:s3:::{id}",
            "region": region,
            "bucketRegion": region,
            "bucketDomainName": f"{id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{id}.s3.{region}.amazonaws.com",
            "hostedZoneId": HOSTED_ZONES.get(region, ""),
            "objectLockEnabled": _object_lock(s3, id),
            **present(tags=_tags(s3, id)),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        if "tags" in changed:
            self._tag(self.client(aws, new), id, new)

    @missing(*GONE)
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        s3 = self.client(aws, state)
        try:
            s3.delete_bucket(Bucket=id)
        except ClientError as error:
            if error_code(error) != "BucketNotEmpty" or not state.get("forceDestroy"):
                raise
            _empty(s3, id, locked=bool(state.get("objectLockEnabled")))
            s3.delete_bucket(Bucket=id)

    @staticmethod
    def _tag(s3: Any, name: str, inputs: Props) -> None:
        if tags := inputs.get("tags"):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": to_pairs(tags)})
        else:
            s3.delete_bucket_tagging(Bucket=name)


def _exists(s3: Any, name: str) -> bool:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error_code(error) in GONE:
            return False
        raise
    return True


def _object_lock(s3: Any, name: str) -> bool:
    try:
        lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    except ClientError as error:
        if error_code(error) == "ObjectLockConfigurationNotFoundError":
            return False
        raise
    return lock.get("ObjectLockEnabled") == "Enabled"


def _tags(s3: Any, name: str) -> dict[str, str]:
    try:
        return from_pairs(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if error_code(error) == "NoSuchTagSet":
            return {}
        raise


def _empty(s3: Any, name: str, *, locked: bool) -> None:
    """Delete every version and delete marker; bypass governance locks when the bucket has object lock."""
    bypass = {"BypassGovernanceRetention": True} if locked else {}
    while True:
        page = s3.list_object_versions(Bucket=name, MaxKeys=BATCH)
        entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not entries:
            return
        objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
        reply = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}, **bypass)
        if errors := reply.get("Errors"):
            first = errors[0]
            raise ValueError(
                f"emptying the bucket {name}: {len(errors)} objects could not be deleted, "
                f"first {first['Key']}: {first['Code']} {first.get('Message', '')}"
            )


HANDLERS: list[Handler] = [Bucket()]
