"""A role for the pods of one service account only."""

from typing import Any

import pytest

from components.pod_identity import PodIdentity, PodRoleArgs
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, SCOPE, given, statements


def args(**changes: Any) -> PodRoleArgs:
    return PodRoleArgs(
        **given(
            {
                "account": ACCOUNT,
                "cluster_name": "c-eks",
                "cluster": "c-eks",
                "namespace": "vision",
                "service_account": "trainer",
                "policy": '{"Statement":[]}',
            },
            changes,
        )
    )


def identity(deploy: Deploy, **changes: Any) -> RecordingCloud:
    _, cloud = deploy(lambda: PodIdentity("trainer", args(**changes)))
    return cloud


def test_only_pods_of_the_service_account_on_this_cluster_take_the_role(deploy: Deploy):
    [role] = identity(deploy).of_type("aws:iam/role:Role")
    [trust] = statements(role.inputs["assumeRolePolicy"]).values()
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert trust["Condition"] == {
        "ArnEquals": {"aws:SourceArn": SCOPE.arn("eks", "cluster/c-eks")},
        "StringEquals": {
            "aws:SourceAccount": SCOPE.account_id,
            "aws:RequestTag/kubernetes-namespace": "vision",
            "aws:RequestTag/kubernetes-service-account": "trainer",
        },
    }


def test_the_association_comes_after_what_it_grants(deploy: Deploy):
    cloud = identity(deploy)
    [association] = cloud.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert (association.inputs["namespace"], association.inputs["serviceAccount"]) == ("vision", "trainer")
    [policy] = cloud.of_type("aws:iam/rolePolicy:RolePolicy")
    assert policy.inputs["policy"] == '{"Statement":[]}'
    assert policy.urn in association.depends_on


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"namespace": "Vision"}, "namespace must be lower-case letters, digits and dashes, got 'Vision'"),
        ({"service_account": "a_b"}, "service_account must be .*got 'a_b'"),
        ({"policy": None}, "vision/trainer: give `policy`"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        args(**changes)
