"""Transient rejections are retried as in the upstream provider; others are raised at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.emulator.late_effects import LateEffects
from mlp_sandbox.providers.aws import propagation
from sandbox.tests.unit.providers.emulated import emulated


def trusting(arn: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_policies_that_name_a_new_role_are_taken_once_it_is_known(tmp_path: Path) -> None:
    ten_times_as_fast = LateEffects("slowest", lambda: time.monotonic() * 10)
    with emulated(tmp_path, ten_times_as_fast) as account:
        iam, kms, s3 = account.client("iam"), account.client("kms"), account.client("s3")
        root = "arn:aws:iam::123456789012:root"
        first = iam.create_role(RoleName="first", AssumeRolePolicyDocument=trusting(root))["Role"]["Arn"]
        began = time.monotonic()
        second = iam.create_role(RoleName="second", AssumeRolePolicyDocument=trusting(first))["Role"]["Arn"]
        assert time.monotonic() - began >= 0.4
        own = {"Effect": "Allow", "Principal": {"AWS": [root, second]}, "Action": "kms:*", "Resource": "*"}
        assert kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [own]}))["KeyMetadata"]
        third = iam.create_role(RoleName="third", AssumeRolePolicyDocument=trusting(root))["Role"]["Arn"]
        s3.create_bucket(Bucket="data")
        read = {
            "Effect": "Allow",
            "Principal": {"AWS": third},
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::data/*",
        }
        s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [read]}))
        assert third in s3.get_bucket_policy(Bucket="data")["Policy"]


def test_a_role_that_never_comes_ends_the_wait_and_other_refusals_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propagation, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(propagation, "WAITED_SECONDS", 0.05)
    with emulated(tmp_path) as account:
        iam = account.client("iam")
        sent: list[str] = []
        iam.meta.events.register_first("before-send", lambda request, **_: sent.append(request.url))
        nobody = "arn:aws:iam::123456789012:role/nobody"
        with pytest.raises(ClientError, match="Invalid principal in policy"):
            iam.create_role(RoleName="r", AssumeRolePolicyDocument=trusting(nobody))
        assert len(sent) == 6
        sent.clear()
        with pytest.raises(ClientError, match="NoSuchEntity"):
            iam.get_role(RoleName="nobody")
        assert len(sent) == 1
