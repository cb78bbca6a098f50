"""Statements for pods that read secrets and work with objects: the resource, and its key only through the service.

https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
"""

from collections.abc import Iterator, Sequence

from components.iam_documents import Scope, Statement


def read_secrets(scope: Scope, arns: Sequence[str], key_arn: str) -> Iterator[Statement]:
    """Values of these secrets; the context is what Secrets Manager gives to KMS.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-encryption-context
    """
    yield Statement(sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns)
    yield _use_key("DecryptSecrets", scope, "secretsmanager", ["kms:Decrypt"], key_arn, arns)


def put_secrets(scope: Scope, arns: Sequence[str], key_arn: str) -> Iterator[Statement]:
    """New values of these secrets."""
    yield Statement(sid="PutSecrets", actions=["secretsmanager:PutSecretValue"], resources=arns)
    yield _use_key("EncryptSecrets", scope, "secretsmanager", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn, arns)


def read_objects(scope: Scope, bucket: str, prefix: str, key_arn: str) -> Iterator[Statement]:
    """Objects below a prefix, which ends with /, and their list."""
    yield _list_objects(scope, bucket, prefix)
    yield Statement(sid="ReadObjects", actions=["s3:GetObject"], resources=[scope.bucket_arn(bucket, f"{prefix}*")])
    yield _use_key("DecryptObjects", scope, "s3", ["kms:Decrypt"], key_arn)


def keep_objects(scope: Scope, bucket: str, prefix: str, key_arn: str) -> Iterator[Statement]:
    """Read, write and delete below a prefix; versions of the bucket outlive the deletion."""
    yield _list_objects(scope, bucket, prefix)
    yield Statement(
        sid="KeepObjects",
        actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        resources=[scope.bucket_arn(bucket, f"{prefix}*")],
    )
    yield _use_key("EncryptObjects", scope, "s3", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn)


def _list_objects(scope: Scope, bucket: str, prefix: str) -> Statement:
    return Statement(
        sid="ListObjects",
        actions=["s3:ListBucket"],
        resources=[scope.bucket_arn(bucket)],
        conditions={"StringLike": {"s3:prefix": [prefix, f"{prefix}*"]}},
    )


def _use_key(
    sid: str, scope: Scope, service: str, actions: Sequence[str], key_arn: str, secrets: Sequence[str] = ()
) -> Statement:
    conditions: dict[str, str | Sequence[str]] = {"kms:ViaService": f"{service}.{scope.region}.amazonaws.com"}
    if secrets:
        conditions["kms:EncryptionContext:SecretARN"] = secrets
    return Statement(sid=sid, actions=actions, resources=[key_arn], conditions={"StringEquals": conditions})
