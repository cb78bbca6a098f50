"""What the pods of a project may do on AWS. Pure.

They read what is the project's own: the secret of its account at MLflow, its secrets, and, where it trains on them, its
objects in the data lake. Models and metrics go through MLflow, which has a role of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.iam_documents import Scope, Statement, document


@dataclass(frozen=True, kw_only=True)
class SecretsToRead:
    arns: Sequence[str]
    key_arn: str


@dataclass(frozen=True, kw_only=True)
class DataToRead:
    """`prefix` ends with /, or it would cover the neighbours whose names begin alike."""

    bucket: str
    prefix: str
    key_arn: str

    def __post_init__(self) -> None:
        if not self.prefix.endswith("/"):
            raise ValueError(f"prefix must end with /, got {self.prefix!r}")


def project_policy(scope: Scope, secrets: SecretsToRead, data: DataToRead | None = None) -> str:
    return document([*_secret_statements(scope, secrets), *(_data_statements(scope, data) if data else ())])


def _secret_statements(scope: Scope, secrets: SecretsToRead) -> Iterator[Statement]:
    """The key is the environment's, for all secrets: Secrets Manager names the secret in what it asks of KMS.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-authz
    """
    yield Statement(sid="ReadOwnSecrets", actions=["secretsmanager:GetSecretValue"], resources=secrets.arns)
    yield Statement(
        sid="DecryptOwnSecrets",
        actions=["kms:Decrypt"],
        resources=[secrets.key_arn],
        conditions={
            "StringEquals": {
                "kms:ViaService": f"secretsmanager.{scope.region}.amazonaws.com",
                "kms:EncryptionContext:SecretARN": secrets.arns,
            }
        },
    )


def _data_statements(scope: Scope, data: DataToRead) -> Iterator[Statement]:
    """S3 names the object in what it asks of KMS, and the bucket where the bucket has a key of its own.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    """
    bucket, objects = scope.bucket_arn(data.bucket), scope.bucket_arn(data.bucket, f"{data.prefix}*")
    yield Statement(sid="ReadOwnData", actions=["s3:GetObject"], resources=[objects])
    yield Statement(
        sid="ListOwnData",
        actions=["s3:ListBucket"],
        resources=[bucket],
        conditions={"StringLike": {"s3:prefix": f"{data.prefix}*"}},
    )
    yield Statement(
        sid="DecryptOwnData",
        actions=["kms:Decrypt"],
        resources=[data.key_arn],
        conditions={
            "StringEquals": {"kms:ViaService": f"s3.{scope.region}.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, objects]},
        },
    )
