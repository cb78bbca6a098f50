"""Operations that moto answers with success without an effect. They are rejected, so that no caller relies on them."""

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
    """Reject the operation as not implemented."""
    raise not_implemented(call.identity)
