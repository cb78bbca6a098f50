"""Secrets through their life."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.secretsmanager import HANDLERS, Secret, SecretPolicy
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

KEY = "arn:aws:kms:us-east-1:123456789012:key/0e6f2c6e-7b0f-4a57-9d0c-000000000000"
FULL = {"name": "mlops/token", "description": "token", "kmsKeyId": KEY, "tags": {"team": "ml"}}
GONE = {"recoveryWindowInDays": 0}


def deny(action: str) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs(HANDLERS) == {
        "Secret": {"name", "namePrefix", "region", "type"},
        "SecretPolicy": {"secretArn", "region"},
    }


@mock_aws
def test_a_secret_changes_description_key_and_tags_in_place() -> None:
    changed = {**FULL, "description": "other", "kmsKeyId": f"{KEY[:-1]}1", "tags": {"owner": "platform"}, **GONE}
    Life(Secret()).lives({**FULL, **GONE}, changed)


@mock_aws
def test_a_secret_of_only_a_name_shows_no_drift() -> None:
    Life(Secret()).lives({"name": "mlops/plain"})


@mock_aws
def test_a_deleted_secret_waits_and_its_name_is_refused_with_the_services_reason() -> None:
    life = Life(Secret())
    id = life.create(**FULL)
    life.delete(id, recoveryWindowInDays=7)
    assert life.read(id) is None
    date = boto3.client("secretsmanager").describe_secret(SecretId=id)["DeletedDate"]
    assert (date - datetime.now(UTC)).days in (6, 7)
    # AWS and the emulator say that it is scheduled for deletion; plain moto says less.
    with pytest.raises(ClientError, match=r"scheduled for deletion|already exists"):
        life.create(**FULL)
    life.delete(id, recoveryWindowInDays=7)


@mock_aws
def test_a_secret_deleted_at_once_frees_its_name() -> None:
    life = Life(Secret())
    life.delete(life.create(**FULL), **GONE)
    life.create(**FULL)


@mock_aws
def test_an_inline_policy_stays_when_left_out_and_goes_when_emptied() -> None:
    life = Life(Secret())
    with_policy = {**FULL, "policy": deny("secretsmanager:PutSecretValue")}
    id = life.create(**with_policy)
    life.reads_back(id, with_policy)
    life.reads_back(id, FULL)
    life.update(id, with_policy, {**FULL, "policy": "{}"})
    assert "policy" not in life.live(id)


@mock_aws
def test_a_secret_is_replicated_where_asked_and_its_replicas_go_with_it() -> None:
    life = Life(Secret())
    west = {**FULL, "replicas": [{"region": "us-west-2"}]}
    central = {**FULL, "replicas": [{"region": "eu-central-1"}]}
    id = life.create(**west)
    life.reads_back(id, west)
    life.update(id, west, central)
    life.reads_back(id, central)
    life.delete(id, **central, **GONE)
    assert boto3.client("secretsmanager", region_name="eu-central-1").list_secrets()["SecretList"] == []


@pytest.mark.parametrize("days", [1, 6, 31])
def test_a_recovery_window_that_aws_would_refuse_is_refused(days: int) -> None:
    assert Secret().check({"name": "a", "recoveryWindowInDays": days}) == [
        ("recoveryWindowInDays", f"is {days}: give 0, or a number from 7 to 30")
    ]


@mock_aws
def test_a_secret_policy_changes_in_place() -> None:
    secret = Life(Secret()).create(**FULL)
    inputs = {"secretArn": secret, "policy": deny("secretsmanager:PutSecretValue"), "blockPublicPolicy": True}
    assert Life(SecretPolicy()).lives(inputs, {**inputs, "policy": deny("secretsmanager:*")}) == secret


def test_an_empty_secret_policy_is_refused() -> None:
    assert SecretPolicy().check({"secretArn": "a", "policy": "{}"})[0][0] == "policy"
