"""Only trusted principals assume a role, and sessions end with their role."""

from typing import Any

import pytest

from sandbox.tests.live.emulator.principals import ROOT, Principals, allow, document, refused
from sandbox.tests.live.emulator.running import ACCOUNT, Running


@pytest.fixture(scope="module")
def principals(emulator: Running) -> Principals:
    return Principals(emulator)


def test_a_role_is_assumed_only_by_whom_it_trusts(principals: Principals):
    trusted = principals.role(allow("sts:AssumeRole"))
    other = principals.role(allow("sts:AssumeRole"))
    trust = document({"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"})
    target = principals.role(allow("s3:ListAllMyBuckets"), trust=trust)

    def assume(role: str, **more: Any) -> Any:
        sts = principals.emulator.client("sts", **principals.session(role))
        return sts.assume_role(RoleArn=target, RoleSessionName="next", **more)

    assume(trusted)
    assert "is not authorized to perform: sts:AssumeRole on resource: " + target in refused(lambda: assume(other))
    assert "sts:TagSession" in refused(lambda: assume(trusted, Tags=[{"Key": "a", "Value": "b"}]))


def test_a_role_that_trusts_the_account_is_assumed_by_who_may(principals: Principals):
    target = principals.role()
    may = principals.act_as(allow("sts:AssumeRole", target))("sts")
    may_not = principals.act_as(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/another"))("sts")
    may.assume_role(RoleArn=target, RoleSessionName="next")
    assert "no identity-based policy allows" in refused(may_not.assume_role, RoleArn=target, RoleSessionName="next")


def test_an_external_identifier_is_asked_for(principals: Principals):
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    caller = principals.act_as(allow("sts:AssumeRole"))("sts")
    trust = document({"Effect": "Allow", "Principal": ROOT, "Action": "sts:AssumeRole", "Condition": condition})
    target = principals.role(trust=trust)
    refused(caller.assume_role, RoleArn=target, RoleSessionName="next")
    caller.assume_role(RoleArn=target, RoleSessionName="next", ExternalId="42")


def test_a_role_that_does_not_exist_is_assumed_by_nobody(principals: Principals):
    sts = principals.emulator.client("sts")
    nowhere = f"arn:aws:iam::{ACCOUNT}:role/nowhere"
    assert "AccessDenied" in refused(sts.assume_role, RoleArn=nowhere, RoleSessionName="me")


def test_the_session_of_a_role_ends_with_the_role(principals: Principals):
    role = principals.role()
    session = principals.session(role)
    name = role.rpartition("/")[2]
    principals.iam.delete_role(RoleName=name)
    principals.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({**allow("*"), "Principal": "*"}))
    sts = principals.emulator.client("ec2", **session)
    assert "AuthFailure" in refused(sts.describe_vpcs)
