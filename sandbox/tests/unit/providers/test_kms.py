"""KMS keys and aliases through their life."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.kms import HANDLERS, Alias, Key
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

ROOT = {"AWS": "arn:aws:iam::123456789012:root"}
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}],
    }
)
INPUTS = {"description": "data", "policy": POLICY, "enableKeyRotation": True, "tags": {"purpose": "data"}}
# Plain moto does not return the rotation period; the emulator's extension does.
LOST = ("rotationPeriodInDays",)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs(HANDLERS) == {
        "Key": {"region", "customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
        "Alias": {"name", "namePrefix", "region"},
    }


@mock_aws
def test_a_key_changes_everything_but_its_material_in_place() -> None:
    narrower = POLICY.replace("kms:*", "kms:Decrypt")
    changed = {
        **INPUTS,
        "description": "features",
        "policy": narrower,
        "rotationPeriodInDays": 180,
        "tags": {"purpose": "features"},
    }
    disabled = {**changed, "isEnabled": False}
    Life(Key(), unread=LOST).lives(INPUTS, changed, disabled, changed)


@mock_aws
def test_a_key_without_rotation_or_policy_shows_no_drift() -> None:
    Life(Key()).lives({}, {"enableKeyRotation": True}, {})


@mock_aws
def test_a_deleted_key_waits_as_long_as_the_window_says() -> None:
    life = Life(Key())
    id = life.create(deletionWindowInDays=7)
    life.delete(id, deletionWindowInDays=7)
    key = boto3.client("kms", region_name="us-east-1").describe_key(KeyId=id)["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"
    days = (key["DeletionDate"] - key["CreationDate"]).total_seconds() / 86400
    assert round(days) == 7


@mock_aws
def test_a_key_pending_deletion_counts_as_gone() -> None:
    life = Life(Key())
    id = life.create()
    boto3.client("kms", region_name="us-east-1").schedule_key_deletion(KeyId=id, PendingWindowInDays=7)
    assert life.read(id) is None
    life.delete(id)


@mock_aws
def test_an_asymmetric_key_has_no_rotation_to_read() -> None:
    Life(Key()).lives({"customerMasterKeySpec": "RSA_2048", "keyUsage": "SIGN_VERIFY"})


def test_bad_key_inputs_are_refused_with_the_fix() -> None:
    problems = dict(
        Key().check(
            {
                "deletionWindowInDays": 3,
                "rotationPeriodInDays": 30,
                "keyUsage": "ENCRYPT",
                "policy": "not json",
                "enableKeyRotation": True,
                "customerMasterKeySpec": "RSA_2048",
            }
        )
    )
    assert problems["deletionWindowInDays"] == "is 3: give a number from 7 to 30"
    assert problems["rotationPeriodInDays"] == "is 30: give a number from 90 to 2560"
    assert "ENCRYPT_DECRYPT" in problems["keyUsage"]
    assert "JSON" in problems["policy"]
    assert "SYMMETRIC_DEFAULT" in problems["enableKeyRotation"]


def test_a_rotation_period_without_rotation_is_refused() -> None:
    assert Key().check({"rotationPeriodInDays": 180})[0][0] == "rotationPeriodInDays"


@mock_aws
def test_an_alias_moves_to_another_key_in_place() -> None:
    keys = Life(Key())
    first, second = keys.create(), keys.create()
    arn = keys.live(second)["arn"]
    alias = {"name": "alias/data", "targetKeyId": first}
    assert Life(Alias()).lives(alias, {**alias, "targetKeyId": second}) == "alias/data"
    live_by_arn = Life(Alias())
    live_by_arn.create(name="alias/arn", targetKeyId=arn)
    assert live_by_arn.live("alias/arn", targetKeyId=arn)["targetKeyId"] == arn
    assert live_by_arn.live("alias/arn")["targetKeyArn"] == arn


def test_an_alias_must_begin_with_alias() -> None:
    assert Alias().check({"name": "data"}) == [("name", "is 'data': begin it with 'alias/'")]
