"""Operations that moto answers with success and then forgets: refused, so that nobody relies on them."""

from sandbox.emulator.extensions.registry import Call, Result, extends
from sandbox.emulator.faults import not_implemented


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
