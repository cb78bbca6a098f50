"""Bucket policies: TLS only, one encryption key, and the allowed senders of access logs."""

from collections.abc import Sequence

from components.iam_documents import Conditions, Scope, Statement, deny_insecure_transport, document

ENCRYPTION = "s3:x-amz-server-side-encryption"
ENCRYPTION_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
CUSTOMER_KEY = "s3:x-amz-server-side-encryption-customer-algorithm"


def data_bucket_policy(scope: Scope, bucket: str, key_arn: str) -> str:
    """Return the policy of a data bucket, which rejects uploads that request any other encryption than the default key.

    An upload without encryption headers gets the bucket's default key.

    The `Null` tests matter: a negated condition is also true if the request lacks the header. Clients that name the key
    must name it by its ARN.
    """

    def deny_put(sid: str, conditions: Conditions) -> Statement:
        return Statement(
            sid=sid,
            effect="Deny",
            principals="*",
            actions=["s3:PutObject"],
            resources=[scope.bucket_arn(bucket, "*")],
            conditions=conditions,
        )

    return document(
        [
            _tls_only(scope, bucket),
            deny_put(
                "DenyOtherEncryption", {"StringNotEquals": {ENCRYPTION: "aws:kms"}, "Null": {ENCRYPTION: "false"}}
            ),
            deny_put(
                "DenyOtherKeys", {"StringNotEquals": {ENCRYPTION_KEY: key_arn}, "Null": {ENCRYPTION_KEY: "false"}}
            ),
            # `aws:kms` without a key id selects the AWS managed key, not the bucket's default key.
            deny_put("DenyUnnamedKeys", {"StringEquals": {ENCRYPTION: "aws:kms"}, "Null": {ENCRYPTION_KEY: "true"}}),
            deny_put("DenyCustomerProvidedKeys", {"Null": {CUSTOMER_KEY: "false"}}),
        ]
    )


def access_log_bucket_policy(scope: Scope, bucket: str, sources: Sequence[str]) -> str:
    """Return the policy of the access log bucket.

    Only S3 log delivery may write to it, and only for the given source buckets of this account.
    """
    return document(
        [
            _tls_only(scope, bucket),
            Statement(
                sid="DeliverAccessLogs",
                principals={"Service": ["logging.s3.amazonaws.com"]},
                actions=["s3:PutObject"],
                resources=[scope.bucket_arn(bucket, "*")],
                conditions={
                    "ArnLike": {"aws:SourceArn": [scope.bucket_arn(source) for source in sources]},
                    "StringEquals": {"aws:SourceAccount": scope.account_id},
                },
            ),
        ]
    )


def _tls_only(scope: Scope, bucket: str) -> Statement:
    return deny_insecure_transport(
        "DenyInsecureTransport", ["s3:*"], [scope.bucket_arn(bucket), scope.bucket_arn(bucket, "*")]
    )
