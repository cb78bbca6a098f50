"""The table of limits names existing services and operations, and none that is emulated."""

from typing import Any

from botocore.session import Session

from mlp_sandbox.emulator import services
from mlp_sandbox.emulator.limits import LIMITS
from mlp_sandbox.emulator.services.registry import extended_operations


def test_every_listed_operation_exists_in_botocore():
    session = Session()
    for limit in LIMITS:
        if limit.service == "account":
            assert not limit.operations, limit.what
            continue
        known: Any = session.get_service_model(limit.service).operation_names
        assert set(limit.operations) <= set(known), limit.service


def test_no_listed_operation_is_one_that_we_added():
    services.load()
    refused = {
        ("s3", name)
        for name in (
            "PutBucketIntelligentTieringConfiguration",
            "PutBucketMetricsConfiguration",
            "PutBucketAnalyticsConfiguration",
        )
    }
    listed = {(limit.service, operation) for limit in LIMITS for operation in limit.operations}
    assert listed & extended_operations() == refused


def test_every_limit_says_what_and_with_which_effect_once():
    assert all(limit.what and limit.effect for limit in LIMITS)
    assert len({(limit.service, limit.what) for limit in LIMITS}) == len(LIMITS)
