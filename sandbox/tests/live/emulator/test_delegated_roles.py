"""IAM conditions on permissions boundaries for role creation and on a second factor for assuming a role."""

from typing import Any

import pytest

from sandbox.tests.live.emulator.principals import TRUST_ACCOUNT, Principals, allow, document, refused
from sandbox.tests.live.emulator.running import ACCOUNT, Running

ROLES = f"arn:aws:iam::{ACCOUNT}:role/made-*"
CHANGES = ["iam:CreateRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:TagRole"]
ANYTHING = document(allow("*"))


@pytest.fixture(scope="module")
def principals(emulator: Running) -> Principals:
    return Principals(emulator)


@pytest.fixture(scope="module")
def boundary(principals: Principals) -> str:
    made = principals.iam.create_policy(
        PolicyName=principals.name("boundary"), PolicyDocument=document(allow("s3:ListAllMyBuckets"))
    )
    return str(made["Policy"]["Arn"])


@pytest.fixture
def delegate(principals: Principals, boundary: str) -> Any:
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    return principals.act_as(allow(CHANGES, ROLES, Condition=condition))("iam")


def test_roles_are_made_and_changed_with_the_boundary_and_not_without(
    principals: Principals, boundary: str, delegate: Any
):
    name = f"made-{principals.name()}"
    role = {"RoleName": name, "AssumeRolePolicyDocument": TRUST_ACCOUNT}
    assert "iam:CreateRole" in refused(delegate.create_role, **role)
    assert "iam:CreateRole" in refused(delegate.create_role, **role, PermissionsBoundary=boundary + "x")
    delegate.create_role(**role, PermissionsBoundary=boundary)
    delegate.put_role_policy(RoleName=name, PolicyName="any", PolicyDocument=ANYTHING)
    delegate.update_assume_role_policy(RoleName=name, PolicyDocument=TRUST_ACCOUNT)
    assert "iam:DeleteRolePermissionsBoundary" in refused(delegate.delete_role_permissions_boundary, RoleName=name)
    session = principals.emulator.client("iam", **principals.session(f"arn:aws:iam::{ACCOUNT}:role/{name}"))
    assert "no permissions boundary allows the iam:ListUsers" in refused(session.list_users)


def test_roles_that_somebody_made_without_the_boundary_are_out_of_reach(principals: Principals, delegate: Any):
    name = f"made-{principals.name()}"
    principals.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_ACCOUNT)
    change = {"RoleName": name, "PolicyDocument": ANYTHING}
    assert "iam:PutRolePolicy" in refused(delegate.put_role_policy, **change, PolicyName="any")
    assert "iam:UpdateAssumeRolePolicy" in refused(
        delegate.update_assume_role_policy, RoleName=name, PolicyDocument=TRUST_ACCOUNT
    )
    assert "iam:DeleteRole" in refused(delegate.delete_role, RoleName=name)


def test_iam_does_not_offer_the_boundary_to_calls_about_tags(principals: Principals, boundary: str, delegate: Any):
    """A condition on the boundary never holds for these calls: such a policy allows nothing, as on AWS."""
    name = f"made-{principals.name()}"
    principals.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_ACCOUNT, PermissionsBoundary=boundary)
    assert "iam:TagRole" in refused(delegate.tag_role, RoleName=name, Tags=[{"Key": "a", "Value": "b"}])


def test_a_role_that_demands_a_second_factor_is_assumed_with_a_code_of_ones_own_device(principals: Principals):
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    role = principals.role(trust=document({**trust, "Condition": condition}))
    name, keys = principals.user(allow("sts:AssumeRole", role))
    device = principals.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    principals.iam.enable_mfa_device(
        UserName=name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    sts = principals.emulator.client("sts", **keys)
    asked = {"RoleArn": role, "RoleSessionName": "me"}
    assert "sts:AssumeRole" in refused(sts.assume_role, **asked)
    assert "sts:AssumeRole" in refused(
        sts.assume_role, **asked, SerialNumber=device.replace(name, "another"), TokenCode="123456"
    )
    assert sts.assume_role(**asked, SerialNumber=device, TokenCode="123456")["Credentials"]
