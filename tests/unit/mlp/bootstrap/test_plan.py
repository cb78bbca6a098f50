"""The plan of missing steps between an account and an environment's needs."""

from dataclasses import replace
from typing import Any

import pytest

from components.iam_documents import Scope
from mlp.bootstrap.plan import (
    BootstrapError,
    BucketState,
    KeyState,
    Observed,
    Target,
    bucket_policy,
    next_commands,
    plan,
    policy_holds,
)

TARGET = Target(
    environment="prod",
    scope=Scope(partition="aws", account_id="123456789012", region="us-east-1"),
    bucket="acme-state",
    key_alias="alias/acme-state",
    provider_needed=True,
    tags={"team": "ml"},
)
KEY = KeyState(arn="arn:aws:kms:us-east-1:123456789012:key/1", state="Enabled", rotates=True)
BUCKET = BucketState(
    region="us-east-1",
    versioned=True,
    encryption_key=KEY.arn,
    bucket_key=True,
    public_access_blocked=True,
    owner_enforced=True,
    policy=bucket_policy(None, TARGET, KEY.arn),
    tags={"team": "ml", "more": "tags"},
)
WHOLE = Observed(key=KEY, bucket=BUCKET, provider_audiences=("sts.amazonaws.com",))


def test_a_whole_account_needs_no_step():
    assert [item.status for item in plan(TARGET, WHOLE)] == ["exists", "exists", "exists"]


def test_an_empty_account_needs_the_key_before_the_bucket_it_encrypts():
    items = plan(TARGET, Observed(key=None, bucket=None, provider_audiences=None))
    assert [(item.kind, item.status) for item in items] == [
        ("KMS key", "create"),
        ("state bucket", "create"),
        ("GitHub OIDC provider", "create"),
    ]


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"versioned": False}, "turn versioning on"),
        ({"encryption_key": None}, "encrypt with the KMS key"),
        ({"encryption_key": "arn:aws:kms:us-east-1:123456789012:key/2"}, "encrypt with the KMS key"),
        ({"bucket_key": False}, "encrypt with the KMS key"),
        ({"public_access_blocked": False}, "block public access"),
        ({"owner_enforced": False}, "enforce bucket ownership"),
        ({"policy": None}, "refuse connections without TLS"),
        ({"policy": bucket_policy(None, TARGET, "another key")}, "refuse connections without TLS"),
        ({"tags": {"team": "other"}}, "tag"),
    ],
)
def test_each_difference_of_the_bucket_is_one_step(change: dict[str, Any], step: str):
    bucket = plan(TARGET, replace(WHOLE, bucket=replace(BUCKET, **change)))[1]
    assert (bucket.status, bucket.steps) == ("change", (step,))


def test_a_new_key_makes_an_old_bucket_change_over_to_it():
    key, bucket, _ = plan(TARGET, replace(WHOLE, key=None))
    assert key.status == "create"
    assert bucket.steps == ("encrypt with the KMS key", "refuse connections without TLS")


def test_a_provider_that_does_not_know_sts_is_changed():
    assert plan(TARGET, replace(WHOLE, provider_audiences=("other",)))[2].steps == (
        "accept tokens for sts.amazonaws.com",
    )


def test_a_provider_that_the_stack_makes_is_left_to_it():
    provider = plan(replace(TARGET, provider_needed=False), replace(WHOLE, provider_audiences=None))[2]
    assert (provider.status, provider.steps) == ("not needed", ())


@pytest.mark.parametrize(("state", "command"), [("PendingDeletion", "cancel-key-deletion"), ("Disabled", "enable-key")])
def test_a_key_that_somebody_turned_off_is_not_turned_on_silently(state: str, command: str):
    with pytest.raises(BootstrapError, match=f"aws kms {command} --key-id {KEY.arn}"):
        plan(TARGET, replace(WHOLE, key=replace(KEY, state=state)))


def test_the_order_of_statements_is_no_difference():
    policy = bucket_policy('{"Statement":[{"Sid":"Theirs"}]}', TARGET, KEY.arn)
    assert policy_holds(policy, TARGET, KEY.arn)
    assert not policy_holds(policy.replace("aws:SecureTransport", "aws:MultiFactorAuthPresent"), TARGET, KEY.arn)


def test_the_commands_ask_for_paths_only_where_the_endpoint_is_ones_own():
    login, init = next_commands(TARGET, {})
    assert login == "pulumi login 's3://acme-state?region=us-east-1'"
    assert init == "pulumi stack init prod --secrets-provider 'awskms://alias/acme-state?region=us-east-1'"
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        login, _ = next_commands(TARGET, {name: "http://127.0.0.1:4566"})
        assert login == "pulumi login 's3://acme-state?region=us-east-1&use_path_style=true'"
