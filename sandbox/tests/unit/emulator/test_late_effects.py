"""Changes that take effect after their answer: the rules that apply to requests in between."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.emulator.late_effects import LateEffects
from mlp_sandbox.emulator.propagation import ASSOCIATIONS, BUCKETS, ENTRIES, PRINCIPALS, TABLE, Propagation
from sandbox.tests.unit.emulator.eks_world import World, trust
from sandbox.tests.unit.emulator.emulated import ACCOUNT, Emulated, Plane


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow(tmp_path: Path, alone: None, clock: Clock, plane: Plane) -> Iterator[Emulated]:
    running = Emulated(tmp_path / "home", plane, LateEffects("slowest", clock)).start()
    yield running
    running.service.close()


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def in_account(role: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def said(call: Any, **arguments: Any) -> str:
    """Return the error code of a call, or "" when AWS accepts it."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def of_role(emulated: Emulated, arn: str, service: str) -> Any:
    keys = emulated.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return emulated.client(service, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def test_each_kind_has_a_bound_and_a_page_of_aws_that_says_so():
    for late in TABLE:
        assert 0 < late.longest <= 5
        assert late.source.startswith("https://docs.aws.amazon.com/")


def test_a_change_counts_after_its_delay_and_until_then_the_one_before(clock: Clock):
    found = Propagation("slowest", clock)
    found.settle([(PRINCIPALS, lambda: {"role": "old"})])
    found.observe(PRINCIPALS, {"role": "new", "made": "first"})
    assert (found.effective(PRINCIPALS, "role"), found.effective(PRINCIPALS, "made")) == ("old", None)
    assert found.next_change(PRINCIPALS) == PRINCIPALS.longest
    clock.now += PRINCIPALS.longest
    assert (found.effective(PRINCIPALS, "role"), found.effective(PRINCIPALS, "made")) == ("new", "first")
    assert found.next_change(PRINCIPALS) is None


def test_a_thing_that_is_deleted_and_made_again_is_a_new_one(clock: Clock):
    found = Propagation("slowest", clock)
    found.settle([(BUCKETS, lambda: {"bucket": "policy"})])
    found.observe(BUCKETS, {})
    assert found.effective(BUCKETS, "bucket") is None
    found.observe(BUCKETS, {"bucket": "policy"})
    assert found.effective(BUCKETS, "bucket") is None


def test_changes_of_one_thing_take_effect_in_their_order_and_usually_within_the_bound(clock: Clock):
    found = Propagation("usual", clock)
    seen: list[int] = []
    for number in range(200):
        found.observe(ENTRIES, {"entry": number})
        clock.now += ENTRIES.longest / 100
        seen += [counts] if (counts := found.effective(ENTRIES, "entry")) is not None else []
    assert seen == sorted(seen)
    assert seen, "nothing took effect within twice the bound"
    clock.now += ENTRIES.longest
    assert found.effective(ENTRIES, "entry") == 199


def test_at_once_is_at_once(clock: Clock):
    found = Propagation("at-once", clock)
    found.observe(PRINCIPALS, {"role": "new"})
    assert found.effective(PRINCIPALS, "role") == "new"


def test_a_role_is_nobody_at_first_and_then_has_what_it_was_given(slow: Emulated, clock: Clock):
    iam = slow.client("iam")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=in_account(f"arn:aws:iam::{ACCOUNT}:root"))["Role"][
        "Arn"
    ]
    assert said(slow.client("iam").create_role, RoleName="s", AssumeRolePolicyDocument=in_account(arn)) == (
        "MalformedPolicyDocument"
    )
    clock.now += PRINCIPALS.longest
    assert said(iam.create_role, RoleName="s", AssumeRolePolicyDocument=in_account(arn)) == ""
    buckets = of_role(slow, arn, "s3").list_buckets
    assert said(buckets) == "AccessDenied"
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow("s3:ListAllMyBuckets"))
    assert said(buckets) == "AccessDenied"
    clock.now += PRINCIPALS.longest
    assert said(buckets) == ""
    iam.delete_role_policy(RoleName="r", PolicyName="p")
    assert said(buckets) == ""
    clock.now += PRINCIPALS.longest
    assert said(buckets) == "AccessDenied"


def test_another_version_of_a_managed_policy_takes_its_time(slow: Emulated, clock: Clock):
    iam = slow.client("iam")
    trusted = in_account(f"arn:aws:iam::{ACCOUNT}:root")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    policy = iam.create_policy(PolicyName="p", PolicyDocument=allow("sns:ListTopics"))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    clock.now += PRINCIPALS.longest
    topics = of_role(slow, arn, "sns").list_topics
    assert said(topics) == ""
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=allow("s3:ListAllMyBuckets"), SetAsDefault=True)
    assert said(topics) == ""
    clock.now += PRINCIPALS.longest
    assert said(topics) == "AuthorizationError"


def test_a_policy_of_a_bucket_takes_its_time(slow: Emulated, clock: Clock):
    s3 = slow.client("s3")
    s3.create_bucket(Bucket="data")
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::data"}
    s3.put_bucket_policy(Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    assert said(s3.list_objects_v2, Bucket="data") == ""
    clock.now += BUCKETS.longest
    assert said(s3.list_objects_v2, Bucket="data") == "AccessDenied"


def test_pods_get_a_role_once_their_association_counts(slow: Emulated, clock: Clock, plane: Plane):
    world = World(slow)
    clock.now += PRINCIPALS.longest
    world.cluster()
    asked = {"clusterName": "ml", "namespace": "ml-platform", "serviceAccount": "mlflow"}
    world.eks.create_pod_identity_association(**asked, roleArn=world.pod_role)
    assert plane.asked_until(lambda cluster: cluster.name == "ml").pod_identities == ()
    clock.now += ASSOCIATIONS.longest
    world.eks.create_access_entry(clusterName="ml", principalArn=world.node_role, type="EC2_LINUX")  # any write at all
    assert plane.asked_until(lambda cluster: cluster.pod_identities == ("ml-platform/mlflow",))


def test_a_new_role_is_none_that_eks_knows(slow: Emulated, clock: Clock):
    world = World(slow)
    clock.now += PRINCIPALS.longest
    world.cluster()
    role = world.role("late", trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession"))
    asked = {"clusterName": "ml", "namespace": "n", "serviceAccount": "a", "roleArn": role}
    assert said(world.eks.create_pod_identity_association, **asked) == "InvalidParameterException"
    assert said(world.eks.create_access_entry, clusterName="ml", principalArn=role) == "InvalidParameterException"
    clock.now += PRINCIPALS.longest
    assert said(world.eks.create_pod_identity_association, **asked) == ""
    assert said(world.eks.create_access_entry, clusterName="ml", principalArn=role) == ""


def test_what_the_journal_brings_back_counts_at_once(slow: Emulated, clock: Clock):
    iam = slow.client("iam")
    trusted = in_account(f"arn:aws:iam::{ACCOUNT}:root")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    slow.restart()
    assert said(slow.client("iam").create_role, RoleName="s", AssumeRolePolicyDocument=in_account(arn)) == ""
