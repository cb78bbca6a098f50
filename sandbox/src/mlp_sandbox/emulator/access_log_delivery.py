"""Check whether S3 may write access logs into a bucket, from the bucket's whole policy, conditions included.

moto looks for one statement of one shape, and fails on policies that also deny something to every principal.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
"""

from typing import Any

from moto.s3.models import FakeBucket

from mlp_sandbox.emulator.authorization.conditions import lookup_in
from mlp_sandbox.emulator.authorization.documents import Access, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, ResourcePolicy, evaluate

LOG_DELIVERY = "logging.s3.amazonaws.com"


def install() -> None:
    """Replace moto's own permission check with one that evaluates the policy."""
    vars_of: Any = FakeBucket
    upstream = vars_of.set_logging
    source: list[FakeBucket] = []

    def set_logging(self: FakeBucket, *args: Any, **named: Any) -> None:
        source[:] = [self]
        upstream(self, *args, **named)

    def permitted(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        return may_deliver(target_bucket.policy, target_bucket.name, target_prefix or "", source[0])

    vars_of.set_logging = set_logging
    vars_of._log_permissions_enabled_policy = staticmethod(permitted)


def may_deliver(policy: bytes | str | None, target: str, prefix: str, source: FakeBucket) -> bool:
    if not policy:
        return False
    lookup = lookup_in(
        {
            "aws:SecureTransport": ["true"],
            "aws:SourceAccount": [source.account_id],
            "aws:SourceArn": [f"arn:aws:s3:::{source.name}"],
            "aws:PrincipalIsAWSService": ["true"],
        }
    )
    log = f"arn:aws:s3:::{target}/{prefix}2026-01-01-00-00-00-0123456789ABCDEF"
    document = parse(policy.decode() if isinstance(policy, bytes) else policy)
    caller = Caller(kind="service", arn=LOG_DELIVERY, account=source.account_id)
    access = Access(action="s3:PutObject", resource=log)
    return evaluate(caller, access, lookup, ResourcePolicy(document=document, account=source.account_id)).allowed
