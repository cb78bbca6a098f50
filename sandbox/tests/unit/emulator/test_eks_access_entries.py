"""Access entries of the emulated EKS: their principals, and the requests that EKS rejects."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.eks_principals import (
    ADMINISTRATOR,
    POLICY,
    associate,
    assume,
    authenticate,
    authorize,
    make_token,
    person,
)
from sandbox.tests.unit.emulator.eks_world import World
from sandbox.tests.unit.emulator.emulated import ACCOUNT


def test_an_entry_needs_a_principal_that_exists(world: World):
    world.cluster()
    for lost in ("role/lost", "role/path/lost", "user/lost"):
        with pytest.raises(ClientError, match="The specified principalArn is invalid: invalid principal") as caught:
            world.eks.create_access_entry(clusterName="ml", principalArn=f"arn:aws:iam::{ACCOUNT}:{lost}")
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    theirs = "arn:aws:iam::111122223333:role/theirs"  # of an account that is not emulated
    world.eks.create_access_entry(clusterName="ml", principalArn=theirs)


@pytest.mark.parametrize("kind", ["role", "user"])
def test_an_entry_belongs_to_the_principal_it_was_made_for_not_to_the_next_of_its_name(world: World, kind: str):
    def made() -> tuple[str, Callable[[], tuple[str, ...]]]:
        if kind == "role":
            role = person(world)
            return role, lambda: assume(world, role)
        arn = str(world.iam.create_user(UserName="team")["User"]["Arn"])
        key = world.iam.create_access_key(UserName="team")["AccessKey"]
        return arn, lambda: (key["AccessKeyId"], key["SecretAccessKey"])

    principal, credentials = made()
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=principal)
    associate(world, principal, "ClusterAdmin")
    admitted = authenticate(world, make_token(world.emulated, *credentials()))["user"]
    assert authorize(world, admitted, verb="get", resource="secrets", namespace="x")["allowed"]
    if kind == "role":
        world.iam.delete_role(RoleName="team")
    else:
        for key in world.iam.list_access_keys(UserName="team")["AccessKeyMetadata"]:
            world.iam.delete_access_key(UserName="team", AccessKeyId=key["AccessKeyId"])
        world.iam.delete_user(UserName="team")
    _, credentials = made()
    world.emulated.restart()
    refused = authenticate(world, make_token(world.emulated, *credentials()))
    assert refused["authenticated"] is False
    assert "its entry is that of an earlier one of the same name" in refused["error"]
    forged = admitted | {"extra": admitted["extra"] | {"principalId": ["another"]}}
    assert not authorize(world, forged, verb="get", resource="secrets", namespace="x")["allowed"]
    described = world.eks.describe_access_entry(clusterName="ml", principalArn=principal)["accessEntry"]
    assert described["principalArn"] == principal
    world.eks.delete_access_entry(clusterName="ml", principalArn=principal)
    world.eks.create_access_entry(clusterName="ml", principalArn=principal)
    assert authenticate(world, make_token(world.emulated, *credentials()))["authenticated"] is True


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"principalArn": "arn:aws:sts::123456789012:assumed-role/a/b"}, "principalArn parameter format is not valid"),
        ({"principalArn": "arn:aws:iam::123456789012:role/aws-service-role/x/y"}, "parameter format is not valid"),
        (
            {"kubernetesGroups": ["system:masters"]},
            "group name system:masters is invalid, it cannot start with system:",
        ),
        ({"username": "system:admin"}, "The username system:admin is invalid"),
        ({"username": "jane{{SessionName}}"}, "must have a colon before {{SessionName}}"),
        ({"type": "NOTHING"}, "The type NOTHING of an access entry is not valid"),
        ({"type": "EC2_LINUX", "kubernetesGroups": ["a"]}, "cannot be given with type EC2_LINUX"),
        ({"type": "EC2_LINUX", "principalArn": "arn:aws:iam::999999999999:role/other"}, "needs a role of account"),
    ],
)
def test_an_entry_that_eks_would_refuse_is_refused_by_name(world: World, sent: dict[str, Any], message: str):
    world.cluster()
    with pytest.raises(ClientError) as caught:
        world.eks.create_access_entry(**{"clusterName": "ml", "principalArn": world.pod_role} | sent)
    assert message in caught.value.response["Error"]["Message"]


def test_a_principal_has_one_entry_and_other_types_take_no_policies(world: World):
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=world.node_role, type="EC2_LINUX")
    with pytest.raises(ClientError, match="already in use on this cluster"):
        world.eks.create_access_entry(clusterName="ml", principalArn=world.node_role)
    with pytest.raises(ClientError, match="Policies cannot be associated with type EC2_LINUX"):
        associate(world, world.node_role, "View")
    with pytest.raises(ClientError, match="policyArn parameter format is not valid"):
        associate(world, ADMINISTRATOR, "Nothing")
    with pytest.raises(ClientError, match="type cluster takes none, type namespace some"):
        world.eks.associate_access_policy(
            clusterName="ml",
            principalArn=ADMINISTRATOR,
            policyArn=POLICY.format("View"),
            accessScope={"type": "namespace"},
        )


def test_entries_are_listed_by_policy_and_page_by_page(world: World):
    world.cluster()
    arns = [person(world, f"team-{number}") for number in range(3)]
    for arn in arns:
        world.eks.create_access_entry(clusterName="ml", principalArn=arn)
    associate(world, arns[1], "View", "a")
    listed = world.eks.list_access_entries(clusterName="ml", associatedPolicyArn=POLICY.format("View"))
    assert listed["accessEntries"] == [arns[1]]
    pages = world.eks.get_paginator("list_access_entries").paginate(clusterName="ml", PaginationConfig={"PageSize": 2})
    assert [len(page["accessEntries"]) for page in pages] == [2, 2]
    assert POLICY.format("View") in {item["arn"] for item in world.eks.list_access_policies()["accessPolicies"]}
