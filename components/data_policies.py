"""IAM statements for pods that read secrets and access objects: the resource, and its key only through the service.

https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
"""

from collections.abc import Iterator, Sequence

from components.iam_documents import Scope, Statement


def read_secrets(scope: Scope, arns: Sequence[str], key_arn: str, within: str = "") -> Iterator[Statement]:
    """Return statements that let a role read secret values, and decrypt them only through Secrets Manager.

    Args:
        scope: account and region of the secrets.
        arns: ARNs of the secrets; `*` matches any characters.
        key_arn: ARN of the key that encrypts them.
        within: a pattern that covers `arns`, for roles with many secrets. The key's statement then names the pattern
            instead of each secret again. It grants no further access: KMS decrypts only for a call that `arns` allows.

    Secrets Manager passes this encryption context to KMS:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-encryption-context
    """
    yield Statement(sid="ReadSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns)
    context = [within] if within else arns
    yield _use_key("DecryptSecrets", scope, "secretsmanager", ["kms:Decrypt"], key_arn, context)


def rotate_secrets(scope: Scope, arns: Sequence[str], key_arn: str) -> Iterator[Statement]:
    """Return statements that let a role set secret values, including pending ones that become current once they work.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
    """
    actions = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"]
    yield Statement(sid="RotateSecrets", actions=actions, resources=arns)
    yield encrypt_secrets(scope, arns, key_arn)


def encrypt_secrets(scope: Scope, arns: Sequence[str], key_arn: str) -> Statement:
    """Return the statement that lets a role use the secrets' key to encrypt values that it writes."""
    return _use_key("EncryptSecrets", scope, "secretsmanager", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn, arns)


def read_objects(scope: Scope, bucket: str, prefix: str, key_arn: str, name: str = "Objects") -> Iterator[Statement]:
    """Return statements that let a role list and read objects below a prefix, which ends with /.

    `name` is the suffix of the statement ids.
    """
    yield _list_objects(scope, bucket, prefix, name)
    yield Statement(sid=f"Read{name}", actions=["s3:GetObject"], resources=[scope.bucket_arn(bucket, f"{prefix}*")])
    yield _use_key(f"Decrypt{name}", scope, "s3", ["kms:Decrypt"], key_arn)


def write_objects(scope: Scope, bucket: str, prefix: str, key_arn: str, name: str = "Objects") -> Iterator[Statement]:
    """Return statements that let a role write objects below a prefix, but not read them."""
    yield Statement(
        sid=f"Write{name}",
        actions=["s3:AbortMultipartUpload", "s3:PutObject"],
        resources=[scope.bucket_arn(bucket, f"{prefix}*")],
    )
    yield _use_key(f"Encrypt{name}", scope, "s3", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn)


def keep_objects(scope: Scope, bucket: str, prefix: str, key_arn: str, name: str = "Objects") -> Iterator[Statement]:
    """Return statements that let a role read, write and delete below a prefix.

    The bucket is versioned, so deleted objects can be restored.
    """
    yield _list_objects(scope, bucket, prefix, name)
    yield Statement(
        sid=f"Keep{name}",
        actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        resources=[scope.bucket_arn(bucket, f"{prefix}*")],
    )
    yield _use_key(f"Encrypt{name}", scope, "s3", ["kms:Decrypt", "kms:GenerateDataKey"], key_arn)


def _list_objects(scope: Scope, bucket: str, prefix: str, name: str) -> Statement:
    return Statement(
        sid=f"List{name}",
        actions=["s3:ListBucket"],
        resources=[scope.bucket_arn(bucket)],
        conditions={"StringLike": {"s3:prefix": [prefix, f"{prefix}*"]}},
    )


def _use_key(
    sid: str, scope: Scope, service: str, actions: Sequence[str], key_arn: str, secrets: Sequence[str] = ()
) -> Statement:
    conditions: dict[str, dict[str, str | Sequence[str]]] = {
        "StringEquals": {"kms:ViaService": f"{service}.{scope.region}.amazonaws.com"}
    }
    if secrets:
        operator = "StringLike" if any("*" in arn for arn in secrets) else "StringEquals"
        conditions.setdefault(operator, {})["kms:EncryptionContext:SecretARN"] = secrets
    return Statement(sid=sid, actions=actions, resources=[key_arn], conditions=conditions)
