"""Buckets through their life."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.services.s3 import bucket
from mlp_sandbox.providers.aws.services.s3.bucket import MOVED, Bucket
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs


def s3() -> Any:
    return boto3.client("s3", region_name="us-east-1")


def filled(life: Life, name: str) -> None:
    """Fill a versioned bucket with three versions of an object and a delete marker."""
    s3().put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3().put_object(Bucket=name, Key="model", Body=str(number).encode())
    s3().delete_object(Bucket=name, Key="model")


def test_buckets_know_the_inputs_of_the_official_sdk() -> None:
    assert_speaks_the_sdk(Bucket())


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs([Bucket()]) == {
        "Bucket": {"bucket", "bucketPrefix", "bucketNamespace", "objectLockEnabled", "region"},
    }


@mock_aws
def test_a_bucket_changes_its_tags_in_place() -> None:
    inputs = {"bucket": "data-lake", "tags": {"Name": "lake", "team": "ml"}}
    assert Life(Bucket()).lives(inputs, {**inputs, "tags": {"team": "ai"}}, {"bucket": "data-lake"}) == "data-lake"


@mock_aws
def test_a_bucket_in_another_region_says_where_it_is() -> None:
    life = Life(Bucket(), region="eu-west-1")
    live = life.live(life.create(bucket="far"))
    assert live["bucketRegionalDomainName"] == "far.s3.eu-west-1.amazonaws.com"
    assert live["hostedZoneId"] == "Z1BKCTXD74EZPE"


@mock_aws
def test_the_region_of_the_resource_wins_over_the_providers() -> None:
    life = Life(Bucket())
    inputs = {"bucket": "far", "region": "eu-west-1"}
    assert life.lives(inputs) == "far"


@mock_aws
def test_object_lock_reads_back_and_so_does_its_absence() -> None:
    life = Life(Bucket())
    assert life.live(life.create(bucket="locked", objectLockEnabled=True))["objectLockEnabled"] is True
    assert life.live(life.create(bucket="open"))["objectLockEnabled"] is False


@mock_aws
def test_a_bucket_that_holds_objects_is_deleted_only_by_force() -> None:
    life = Life(Bucket())
    id = life.create(bucket="data-lake")
    filled(life, id)
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        life.delete(id, bucket=id)
    life.delete(id, bucket=id, forceDestroy=True)
    assert life.read(id) is None


@mock_aws
def test_force_deletes_more_objects_than_one_call_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "BATCH", 3)
    life = Life(Bucket())
    id = life.create(bucket="many")
    client = s3()
    for number in range(10):
        client.put_object(Bucket=id, Key=f"{number}", Body=b"")
    life.delete(id, forceDestroy=True)
    assert life.read(id) is None


@mock_aws
def test_an_existing_bucket_is_not_taken_over() -> None:
    s3().create_bucket(Bucket="data-lake")
    with pytest.raises(ValueError, match="data-lake exists; import it"):
        Life(Bucket()).create(bucket="data-lake")


@pytest.mark.parametrize("field", sorted(MOVED))
def test_inline_settings_are_refused_with_the_resource_to_use(field: str) -> None:
    assert Bucket().check({"bucket": "data-lake", field: {}}) == [
        (field, f"is not supported here: deprecated, use an aws.s3.{MOVED[field]} resource")
    ]


@pytest.mark.parametrize("name", ["Data", "a", "-lake", "lake_1", "x" * 64])
def test_a_name_that_s3_would_refuse_is_refused(name: str) -> None:
    [(field, reason)] = Bucket().check({"bucket": name})
    assert field == "bucket"
    assert name in reason


def test_every_resource_that_replaced_an_inline_setting_exists_in_the_sdk() -> None:
    import pulumi_aws  # slow to import, and only needed here

    assert [name for name in MOVED.values() if not hasattr(pulumi_aws.s3, name)] == []
