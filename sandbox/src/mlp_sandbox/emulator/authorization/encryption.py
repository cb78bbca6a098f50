"""Permissions on KMS keys: those of KMS's own operations, and those that other services use on the caller's behalf.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from moto.kms.models import kms_backends
from moto.kms.utils import RESERVED_ALIASES
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends

from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.published import generic
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest, having

# (prefix, operation) -> parameters that name a key, and the key operations that the service calls for the caller.
_GIVEN_TO_SERVICES: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("rds", "CreateDBInstance"): (("KmsKeyId", "MasterUserSecretKmsKeyId"), ("DescribeKey", "CreateGrant")),
    ("rds", "CreateDBCluster"): (("KmsKeyId", "MasterUserSecretKmsKeyId"), ("DescribeKey", "CreateGrant")),
    ("ecr", "CreateRepository"): (("kmsKey",), ("DescribeKey", "CreateGrant")),
    ("ec2", "CreateVolume"): (("KmsKeyId",), ("GenerateDataKeyWithoutPlaintext", "CreateGrant")),
    ("ec2", "RunInstances"): (("KmsKeyId",), ("GenerateDataKeyWithoutPlaintext", "CreateGrant")),
}
_SECRET_WRITES = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})
_S3_WRITES = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})


def kms(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the permissions of a KMS operation.

    Requests name a key by identifier, alias or ARN. Decryption may omit it, because a ciphertext identifies its key.
    """
    operation = ask.identity.operation
    if operation == "ReEncrypt":
        yield Access(action="kms:ReEncryptFrom", resource=_named(ask, "SourceKeyId") or _of_ciphertext(ask))
        yield Access(action="kms:ReEncryptTo", resource=_named(ask, "DestinationKeyId"))
        return
    alias = ask.param("AliasName")
    key = _named(ask, "KeyId") or _named(ask, "TargetKeyId")
    if not key and ask.params.get("CiphertextBlob"):
        key = _of_ciphertext(ask)
    if alias:
        yield Access(action=ask.action, resource=ask.arn(alias))
        keys = dict.fromkeys([key, key_arn(ask, alias)] if operation != "CreateAlias" else [key])
        for arn in filter(None, keys):
            yield Access(action=ask.action, resource=arn)
        return
    yield from generic(having(ask, KeyId=key))


def key_arn(ask: AuthorizationRequest, name: str, *, region: str = "") -> str:
    """Return the ARN of a key of the account, given any of its names; empty when there is no such key."""
    backend = kms_backends[ask.identity.account][region or ask.identity.region]
    try:
        return str(backend.keys[backend.any_id_to_key_id(name)].arn)
    except (AttributeError, KeyError, TypeError, ValueError):  # AttributeError: moto's error for a missing alias
        return ""


def implied(ask: AuthorizationRequest) -> Iterator[Access]:
    """Yield the uses of the account's keys that the request's service makes on the caller's behalf."""
    if ask.prefix == "s3":
        yield from _of_objects(ask)
    elif ask.prefix == "secretsmanager":
        yield from _of_secrets(ask)
    elif ask.prefix == "sns" and ask.identity.operation in {"Publish", "PublishBatch"}:
        topic: Any = sns_backends[ask.identity.account][ask.identity.region].topics.get(ask.param("TopicArn"))
        if topic is not None and topic.kms_master_key_id:
            for action in ("GenerateDataKey", "Decrypt"):
                yield from _via(ask, "sns", action, topic.kms_master_key_id, {"aws:sns:topicArn": topic.arn})
    names, actions = _GIVEN_TO_SERVICES.get((ask.prefix, ask.identity.operation), ((), ()))
    for key in dict.fromkeys(value for name in names for value in ask.values(name)):
        for action in actions:
            yield from _via(ask, ask.prefix, action, key, {}, {"kms:grantisforawsresource": ("true",)})


def _via(
    ask: AuthorizationRequest,
    service: str,
    action: str,
    key: str,
    context: Mapping[str, str],
    more: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[Access]:
    """Yield one use of a key by a service.

    AWS's own keys, and keys that do not exist, require no permission of the caller.
    """
    region = key.split(":")[3] if key.startswith("arn:") else ask.identity.region
    arn = key_arn(ask, key, region=region)
    if not arn or key.rpartition(":")[2] in RESERVED_ALIASES:
        return
    keys = {
        "kms:viaservice": (f"{service}.{region}.amazonaws.com",),
        "aws:viaawsservice": ("true",),
        "kms:encryptioncontextkeys": tuple(context),
        **{f"kms:encryptioncontext:{name.lower()}": (value,) for name, value in context.items()},
        **(more or {}),
    }
    yield Access(action=f"kms:{action}", resource=arn, keys=keys, tags_requested=False)


def _of_objects(ask: AuthorizationRequest) -> Iterator[Access]:
    operation = ask.identity.operation
    bucket, name = str(ask.params.get("Bucket", "")), str(ask.params.get("Key") or "")
    if operation in {"GetObject", "GetObjectAttributes"}:
        yield from _decrypt(ask, bucket, name, "".join(ask.request.query.get("versionId", [])[:1]) or None)
    elif operation in {"CopyObject", "UploadPartCopy"}:
        from mlp_sandbox.emulator.authorization.s3 import copy_source

        source, source_name, version = copy_source(ask.request)
        yield from _decrypt(ask, source, source_name, version)
    if operation in _S3_WRITES:
        key, by_bucket = _key_of_upload(ask, bucket)
        if key:
            yield from _via(ask, "s3", "GenerateDataKey", key, _s3_context(bucket, name, by_bucket=by_bucket))
            if operation == "CreateMultipartUpload":
                yield from _via(ask, "s3", "Decrypt", key, _s3_context(bucket, name, by_bucket=by_bucket))


def _decrypt(ask: AuthorizationRequest, bucket: str, name: str, version: str | None) -> Iterator[Access]:
    backend: Any = s3_backends[ask.identity.account]["aws"]
    found = backend.get_object(bucket, name, version_id=version) if bucket in backend.buckets else None
    if found is not None and getattr(found, "encryption", None) in {"aws:kms", "aws:kms:dsse"} and found.kms_key_id:
        context = _s3_context(bucket, name, by_bucket=str(found.bucket_key_enabled).lower() == "true")
        yield from _via(ask, "s3", "Decrypt", str(found.kms_key_id), context)


def _s3_context(bucket: str, name: str, *, by_bucket: bool) -> dict[str, str]:
    return {"aws:s3:arn": f"arn:aws:s3:::{bucket}" + ("" if by_bucket else f"/{name}")}


def _key_of_upload(ask: AuthorizationRequest, bucket: str) -> tuple[str, bool]:
    """Return the key that encrypts an upload, and whether a bucket key is used."""
    algorithm = ask.request.header("x-amz-server-side-encryption")
    by_bucket = ask.request.header("x-amz-server-side-encryption-bucket-key-enabled").lower() == "true"
    if algorithm:
        key = ask.request.header("x-amz-server-side-encryption-aws-kms-key-id")
        return (key, by_bucket) if algorithm.startswith("aws:kms") else ("", False)
    held: Any = s3_backends[ask.identity.account]["aws"].buckets.get(bucket)
    rule = (getattr(held, "encryption", None) or {}).get("Rule") or {}
    default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    if not str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
        return "", False
    return str(default.get("KMSMasterKeyID") or ""), str(rule.get("BucketKeyEnabled", "")).lower() == "true"


def _of_secrets(ask: AuthorizationRequest) -> Iterator[Access]:
    operation = ask.identity.operation
    secrets: Any = secretsmanager_backends[ask.identity.account][ask.identity.region].secrets
    names = ask.values("SecretIdList") if operation == "BatchGetSecretValue" else [ask.param("SecretId", "Name")]
    for name in filter(None, names):
        found = secrets.get(name)
        key = ask.param("KmsKeyId") or str(getattr(found, "kms_key_id", None) or "")
        if not key:
            continue
        context = {"SecretARN": found.arn} if found is not None else {}
        if operation in _SECRET_WRITES:
            yield from _via(ask, "secretsmanager", "GenerateDataKey", key, context)
            yield from _via(ask, "secretsmanager", "Decrypt", key, context)
        elif operation in {"GetSecretValue", "BatchGetSecretValue"}:
            yield from _via(ask, "secretsmanager", "Decrypt", key, context)


def _named(ask: AuthorizationRequest, parameter: str) -> str:
    name = str(ask.params.get(parameter) or "")
    return (key_arn(ask, name) or (name if name.startswith("arn:") else ask.arn(f"key/{name}"))) if name else ""


def _of_ciphertext(ask: AuthorizationRequest) -> str:
    blob: Any = ask.params.get("CiphertextBlob") or b""
    try:
        # moto puts the identifier of the key at the start.
        return key_arn(ask, bytes(blob)[:36].decode("ascii"))
    except (UnicodeDecodeError, TypeError):
        return ""
