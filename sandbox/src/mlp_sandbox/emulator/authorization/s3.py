"""S3 permissions: those not named like their operations, and objects by bucket and key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote

import xmltodict
from moto.s3.models import s3_backends

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.messages import Request

ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "RenameObject": "PutObject",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Permissions that have a separate permission for a version of an object.
_VERSIONED = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
# Upload headers that need a permission of their own.
_BY_HEADER = {
    "x-amz-acl": "PutObjectAcl",
    "x-amz-tagging": "PutObjectTagging",
    "x-amz-object-lock-mode": "PutObjectRetention",
    "x-amz-object-lock-legal-hold": "PutObjectLegalHold",
}
_UPLOADS = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})


def s3(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of an S3 operation."""
    operation, request = ask.identity.operation, ask.request
    bucket, key = str(ask.params.get("Bucket") or ""), str(ask.params.get("Key") or "")
    name = ACTIONS.get(operation, operation)
    if request.query.get("versionId"):
        name = _VERSIONED.get(name, name)
    if not bucket:
        yield Access(action=f"s3:{name}")
        return
    if operation == "DeleteObjects":
        for removed, version in keys_to_delete(request.body):
            action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
            yield Access(action=action, resource=f"arn:aws:s3:::{bucket}/{removed}")
        return
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    yield Access(action=f"s3:{name}", resource=resource)
    if operation == "GetObjectAttributes":
        yield Access(action="s3:GetObject", resource=resource)
    if operation in _UPLOADS:
        for header, action in _BY_HEADER.items():
            if request.header(header):
                yield Access(action=f"s3:{action}", resource=resource)
    if operation in {"CopyObject", "UploadPartCopy"}:
        source, source_key, version = copy_source(request)
        action = "s3:GetObjectVersion" if version else "s3:GetObject"
        yield Access(action=action, resource=f"arn:aws:s3:::{source}/{source_key}")
    if operation in {"GetObject", "HeadObject"} and _is_missing(ask, bucket, key):
        # Only callers who may list a bucket learn that an object does not exist.
        yield Access(action="s3:ListBucket", resource=f"arn:aws:s3:::{bucket}")


def copy_source(request: Request) -> tuple[str, str, str | None]:
    """Return bucket, key and version of the source of a copy."""
    path, _, query = request.header("x-amz-copy-source").partition("?")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key, next(iter(parse_qs(query).get("versionId", [])), None)


def keys_to_delete(body: bytes) -> list[tuple[str, str]]:
    """Return the keys and versions that a DeleteObjects request names."""
    objects = (xmltodict.parse(body, force_list=("Object",)).get("Delete") or {}).get("Object") or []
    return [(str(item["Key"]), str(item.get("VersionId") or "")) for item in objects]


def _is_missing(ask: AuthorizationRequest, bucket: str, key: str) -> bool:
    held: Any = s3_backends[ask.identity.account]["aws"].buckets.get(bucket)
    return held is not None and key not in held.keys
