"""The settings of buckets through their life."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.s3 import lifecycle, settings
from mlp_sandbox.providers.aws.services.s3.bucket import Bucket
from mlp_sandbox.providers.aws.services.s3.lifecycle import BucketLifecycleConfiguration
from mlp_sandbox.providers.aws.services.s3.settings import (
    BucketLogging,
    BucketOwnershipControls,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketVersioning,
)
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

SETTINGS = [*settings.HANDLERS, *lifecycle.HANDLERS]
OWNER = "123456789012"
KEY = f"arn:aws:kms:us-east-1:{OWNER}:key/0e6f2c6e-7b0f-4a57-9d0c-000000000000"
# Plain moto drops it; the emulator's extension keeps it.
SIZE_LOST = ("transitionDefaultMinimumObjectSize",)


@pytest.fixture
def lake(own_account: None) -> Iterator[str]:
    with mock_aws():
        yield Life(Bucket()).create(bucket="lake")


def encryption(**default: str) -> dict[str, Any]:
    return {"applyServerSideEncryptionByDefault": default}


@pytest.mark.parametrize("handler", SETTINGS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs(SETTINGS) == {
        "BucketVersioning": {"bucket", "expectedBucketOwner", "region"},
        "BucketServerSideEncryptionConfiguration": {"bucket", "expectedBucketOwner", "region"},
        "BucketLogging": {"bucket", "expectedBucketOwner", "region"},
        "BucketLifecycleConfiguration": {"bucket", "expectedBucketOwner", "region"},
        "BucketPublicAccessBlock": {"bucket", "region"},
        "BucketOwnershipControls": {"bucket", "region"},
        "BucketPolicy": {"bucket", "region"},
    }


@pytest.mark.parametrize("handler", SETTINGS, ids=lambda handler: handler.token)
def test_a_setting_of_a_bucket_that_is_gone_is_gone(lake: str, handler: Handler) -> None:
    life = Life(handler)
    assert life.read("no-such-bucket") is None
    life.delete("no-such-bucket", versioningConfiguration={"status": "Enabled"})


def test_versioning_once_on_can_only_be_suspended(lake: str) -> None:
    life = Life(BucketVersioning())
    on = {"bucket": lake, "versioningConfiguration": {"status": "Enabled"}}
    off = {"bucket": lake, "versioningConfiguration": {"status": "Suspended"}}
    id = life.create(**on)
    life.reads_back(id, on)
    life.update(id, on, off)
    life.reads_back(id, off)
    with pytest.raises(ValueError, match="Suspended, not Disabled"):
        life.update(id, off, {"bucket": lake, "versioningConfiguration": {"status": "Disabled"}})


def test_deleting_the_versioning_of_a_bucket_suspends_it(lake: str) -> None:
    life = Life(BucketVersioning())
    on = {"bucket": lake, "versioningConfiguration": {"status": "Enabled"}}
    life.delete(life.create(**on), **on)
    assert boto3.client("s3").get_bucket_versioning(Bucket=lake)["Status"] == "Suspended"


def test_a_bucket_never_versioned_reads_as_disabled(lake: str) -> None:
    life = Life(BucketVersioning())
    never = {"bucket": lake, "versioningConfiguration": {"status": "Disabled"}}
    life.reads_back(life.create(**never), never)


def test_an_expected_owner_is_part_of_the_id(lake: str) -> None:
    inputs = {"bucket": lake, "expectedBucketOwner": OWNER, "rules": [encryption(sseAlgorithm="AES256")]}
    assert Life(BucketServerSideEncryptionConfiguration()).lives(inputs) == f"lake,{OWNER}"


def test_encryption_changes_key_and_bucket_key_in_place(lake: str) -> None:
    own = {"bucket": lake, "rules": [encryption(sseAlgorithm="AES256")]}
    key = {
        "bucket": lake,
        "rules": [{**encryption(sseAlgorithm="aws:kms", kmsMasterKeyId=KEY), "bucketKeyEnabled": True}],
    }
    Life(BucketServerSideEncryptionConfiguration()).lives(own, key, own)


def test_two_encryption_rules_are_refused() -> None:
    rule = encryption(sseAlgorithm="AES256")
    assert (
        "exactly one" in BucketServerSideEncryptionConfiguration().check({"bucket": "a", "rules": [rule, rule]})[0][1]
    )


def test_public_access_not_blocked_is_not_drift(lake: str) -> None:
    some = {"bucket": lake, "blockPublicAcls": True}
    every = {"bucket": lake, **dict.fromkeys(settings.PUBLIC_ACCESS, True)}
    Life(BucketPublicAccessBlock()).lives(some, every)


def test_skip_destroy_leaves_public_access_blocked(lake: str) -> None:
    life = Life(BucketPublicAccessBlock())
    id = life.create(bucket=lake, blockPublicAcls=True)
    life.delete(id, skipDestroy=True)
    assert life.live(id)["blockPublicAcls"] is True


def test_ownership_changes_in_place(lake: str) -> None:
    inputs = {"bucket": lake, "rule": {"objectOwnership": "BucketOwnerEnforced"}}
    Life(BucketOwnershipControls()).lives(inputs, {"bucket": lake, "rule": {"objectOwnership": "ObjectWriter"}})


def log_target(name: str) -> str:
    """Create a bucket that the log service may write to."""
    target = Life(Bucket()).create(bucket=name)
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    Life(BucketPolicy()).create(bucket=target, policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    return target


def test_access_logs_change_target_and_prefix_in_place(lake: str) -> None:
    first, second = log_target("access-logs"), log_target("other-logs")
    inputs = {"bucket": lake, "targetBucket": first, "targetPrefix": "lake/"}
    Life(BucketLogging()).lives(inputs, {**inputs, "targetBucket": second, "targetPrefix": ""})


def test_a_bucket_policy_changes_in_place(lake: str) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "arn:aws:s3:::lake"}
    inputs = {"bucket": lake, "policy": json.dumps({"Version": "2012-10-17", "Statement": [deny]}, indent=2)}
    Life(BucketPolicy()).lives(inputs, {**inputs, "policy": inputs["policy"].replace("DeleteBucket", "PutObject")})


def test_a_policy_that_is_not_json_is_refused() -> None:
    assert BucketPolicy().check({"bucket": "lake", "policy": "Deny all"})[0][0] == "policy"


def test_lifecycle_rules_of_every_shape_read_back(lake: str) -> None:
    every = {
        "bucket": lake,
        "rules": [
            {
                "id": "cool",
                "status": "Enabled",
                "filter": {"prefix": "raw/"},
                "transitions": [
                    {"days": 30, "storageClass": "STANDARD_IA"},
                    {"days": 90, "storageClass": "GLACIER"},
                ],
                "noncurrentVersionTransitions": [{"noncurrentDays": 30, "storageClass": "GLACIER"}],
                "noncurrentVersionExpiration": {"noncurrentDays": 90},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
            },
            {
                "id": "scratch",
                "status": "Disabled",
                "filter": {"and": {"prefix": "tmp/", "tags": {"class": "scratch", "team": "ml"}}},
                "expiration": {"days": 3},
            },
            {
                "id": "one-tag",
                "status": "Enabled",
                "filter": {"tag": {"key": "class", "value": "scratch"}},
                "expiration": {"days": 1},
            },
            {"id": "markers", "status": "Enabled", "expiration": {"expiredObjectDeleteMarker": True}},
        ],
    }
    less = {
        "bucket": lake,
        "rules": every["rules"][:1],
        "transitionDefaultMinimumObjectSize": "varies_by_storage_class",
    }
    Life(BucketLifecycleConfiguration(), unread=SIZE_LOST).lives(every, less)


def test_lifecycle_dates_read_back_as_written(lake: str) -> None:
    dated = {"id": "end", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"date": "2030-01-01T00:00:00Z"}}
    Life(BucketLifecycleConfiguration()).lives({"bucket": lake, "rules": [dated]})


def test_an_unknown_key_inside_a_rule_is_refused_by_name(lake: str) -> None:
    rule = {"id": "cool", "status": "Enabled", "expiration": {"dayz": 3}}
    with pytest.raises(ParamValidationError, match="Dayz"):
        Life(BucketLifecycleConfiguration()).create(bucket=lake, rules=[rule])


def test_bad_lifecycle_inputs_are_refused_with_the_fix() -> None:
    problems = dict(
        BucketLifecycleConfiguration().check(
            {
                "bucket": "lake",
                "transitionDefaultMinimumObjectSize": "small",
                "rules": [{"status": "On", "filter": {"prefix": "a", "objectSizeGreaterThan": 1}}],
            }
        )
    )
    assert "varies_by_storage_class" in problems["transitionDefaultMinimumObjectSize"]
    assert "missing" in problems["rules[0].id"]
    assert "Enabled or Disabled" in problems["rules[0].status"]
    assert "put them together in its 'and'" in problems["rules[0].filter"]


def test_an_unusable_log_target_is_the_apis_error(lake: str) -> None:
    with pytest.raises(ClientError, match="InvalidTargetBucketForLogging"):
        Life(BucketLogging()).create(bucket=lake, targetBucket="no-such-bucket", targetPrefix="")
