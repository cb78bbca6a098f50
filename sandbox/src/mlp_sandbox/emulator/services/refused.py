"""Operations that moto answers with success and then forgets: refused, so that nobody relies on them."""

from mlp_sandbox.emulator.faults import not_implemented
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@extends(
    "s3",
    "PutBucketIntelligentTieringConfiguration",
    "GetBucketIntelligentTieringConfiguration",
    "PutBucketMetricsConfiguration",
    "GetBucketMetricsConfiguration",
    "PutBucketAnalyticsConfiguration",
    "GetBucketAnalyticsConfiguration",
)
def refuse(call: Call) -> Result:
    """Say that it is not emulated."""
    raise not_implemented(call.identity)
