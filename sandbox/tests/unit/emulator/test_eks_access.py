"""Access policies of the emulated EKS, and the answers to a cluster's API server that follow from them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.eks_principals import (
    ADMINISTRATOR,
    POLICY,
    associate,
    assume,
    authenticate,
    authorize,
    cluster_id,
    make_token,
    person,
)
from sandbox.tests.unit.emulator.eks_world import World
from sandbox.tests.unit.emulator.emulated import ACCOUNT


def test_the_creator_administers_the_cluster_under_the_name_that_sts_says(world: World):
    assert world.emulated.client("sts").get_caller_identity()["Arn"] == ADMINISTRATOR
    world.cluster()
    user = authenticate(world, make_token(world.emulated))["user"]
    assert user["username"] == ADMINISTRATOR
    assert authorize(world, user, verb="delete", resource="nodes")["allowed"]
    assert authorize(world, user, verb="get", path="/metrics")["allowed"]
    policies = world.eks.list_associated_access_policies(clusterName="ml", principalArn=ADMINISTRATOR)
    assert [item["policyArn"] for item in policies["associatedAccessPolicies"]] == [POLICY.format("ClusterAdmin")]


def test_without_bootstrap_nobody_is_let_in_until_an_entry_says_so(world: World):
    world.cluster(accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False})
    answer = authenticate(world, make_token(world.emulated))
    assert answer == {"authenticated": False, "error": f"{ADMINISTRATOR} has no access entry"}


def test_a_role_comes_in_as_its_session(world: World):
    role = person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role, kubernetesGroups=["ml-team"])
    answer = authenticate(world, make_token(world.emulated, *assume(world, role)))
    assert answer["authenticated"] is True
    assert answer["user"]["username"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/team/jane-example.com"
    assert answer["user"]["groups"] == ["ml-team"]
    assert answer["user"]["extra"]["canonicalArn"] == [role]
    assert answer["user"]["extra"]["sessionName"] == ["jane@example.com"]


def test_a_user_comes_in_under_its_arn_or_the_name_that_was_given(world: World):
    arn = world.iam.create_user(UserName="jane")["User"]["Arn"]
    key = world.iam.create_access_key(UserName="jane")["AccessKey"]
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=arn)
    token = make_token(world.emulated, key["AccessKeyId"], key["SecretAccessKey"])
    assert authenticate(world, token)["user"]["username"] == arn
    world.eks.update_access_entry(clusterName="ml", principalArn=arn, username="jane", kubernetesGroups=["viewers"])
    user = authenticate(world, token)["user"]
    assert (user["username"], user["groups"]) == ("jane", ["viewers"])


def test_a_token_proves_nothing_once_it_is_old_or_was_made_for_something_else(world: World):
    world.cluster()
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=False):
        old = make_token(world.emulated)
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=14), tick=False):
        good = make_token(world.emulated)
    assert authenticate(world, good)["authenticated"]
    refused = {
        "token is expired": old,
        "made for a cluster other than ml": make_token(world.emulated, cluster="another"),
        "which is no STS endpoint": make_token(world.emulated, url="http://evil.example.com/"),
        "leads elsewhere than to STS": make_token(world.emulated, url="http://127.0.0.1:4566/path"),
        "asks for AssumeRole": make_token(world.emulated, Action="AssumeRole"),
        "parameters it should not have": make_token(world.emulated, RoleArn="x"),
        "does not begin with k8s-aws-v1.": "something",
        "holds no URL": "k8s-aws-v1.%%%",
    }
    for reason, token in refused.items():
        answer = authenticate(world, token)
        assert answer["authenticated"] is False
        assert reason in answer["error"]


def test_a_role_s_token_needs_its_own_secret_and_its_own_time(world: World):
    role = person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    key, secret, session = assume(world, role)
    assert "wrong secret" in authenticate(world, make_token(world.emulated, key, "guessed", session))["error"]
    assert "session token" in authenticate(world, make_token(world.emulated, key, secret, "other"))["error"]
    assert "is not known" in authenticate(world, make_token(world.emulated, "ASIA0000000000000000", secret))["error"]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2), tick=False):
        answer = authenticate(world, make_token(world.emulated, key, secret, session))
    assert "the credentials that signed it are" in answer["error"]


def test_a_policy_in_a_namespace_allows_there_what_it_names_and_nothing_elsewhere(world: World):
    role = person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    associate(world, role, "Edit", "team-a", "team-a-*")
    user = authenticate(world, make_token(world.emulated, *assume(world, role)))["user"]
    for namespace in ("team-a", "team-a-dev"):
        assert authorize(world, user, verb="create", group="apps", resource="deployments", namespace=namespace)[
            "allowed"
        ]
    assert authorize(world, user, verb="create", resource="pods", subresource="exec", namespace="team-a")["allowed"]
    answer = authorize(world, user, verb="create", group="apps", resource="deployments", namespace="team-b")
    assert answer == {
        "allowed": False,
        "reason": f"no EKS access policy of {role} allows create deployments.apps in namespace team-b",
    }
    assert not authorize(world, user, verb="list", resource="pods")["allowed"]
    for group, resource in (("rbac.authorization.k8s.io", "roles"), ("", "resourcequotas")):
        assert not authorize(world, user, verb="create", group=group, resource=resource, namespace="team-a")["allowed"]


@pytest.mark.parametrize(
    ("policy", "may", "may_not"),
    [
        ("View", [("list", "", "pods"), ("get", "", "pods/log")], [("get", "", "secrets"), ("delete", "", "pods")]),
        ("AdminView", [("get", "", "secrets"), ("list", "any.io", "things")], [("create", "", "pods")]),
        (
            "Admin",
            [("create", "rbac.authorization.k8s.io", "roles")],
            [("create", "", "namespaces"), ("get", "", "nodes")],
        ),
        ("SecretReader", [("get", "", "secrets")], [("list", "", "pods"), ("create", "", "secrets")]),
        ("ClusterAdmin", [("escalate", "rbac.authorization.k8s.io", "clusterroles"), ("get", "", "nodes")], []),
    ],
)
def test_each_policy_allows_what_aws_says(
    world: World, policy: str, may: list[tuple[str, str, str]], may_not: list[tuple[str, str, str]]
):
    role = person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    associate(world, role, policy)
    user = authenticate(world, make_token(world.emulated, *assume(world, role)))["user"]
    for allowed, asked in ((True, may), (False, may_not)):
        for verb, group, resource in asked:
            kind, _, sub = resource.partition("/")
            answer = authorize(world, user, verb=verb, group=group, resource=kind, subresource=sub, namespace="any")
            assert answer["allowed"] is allowed, (policy, verb, group, resource)


def test_kubernetes_own_accounts_are_no_business_of_eks(world: World):
    world.cluster()
    answer = authorize(world, {"username": "system:kube-scheduler"}, verb="list", resource="pods")
    assert answer == {"allowed": False}


def test_a_policy_taken_away_allows_no_longer(world: World):
    role = person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    associate(world, role, "ClusterAdmin")
    user = authenticate(world, make_token(world.emulated, *assume(world, role)))["user"]
    world.eks.disassociate_access_policy(clusterName="ml", principalArn=role, policyArn=POLICY.format("ClusterAdmin"))
    assert not authorize(world, user, verb="get", resource="nodes")["allowed"]
    world.eks.delete_access_entry(clusterName="ml", principalArn=role)
    with pytest.raises(ClientError, match="must specify a valid principalArn"):
        world.eks.describe_access_entry(clusterName="ml", principalArn=role)


def test_webhooks_answer_for_clusters_that_exist_and_reviews_that_read(world: World):
    assert world.emulated.post("/_mlp/eks/NOTHERE/authenticate", {})[0] == 404
    world.cluster()
    status, answer = world.emulated.post(f"/_mlp/eks/{cluster_id(world)}/authenticate", {"kind": "TokenReview"})
    assert status == 400
    assert answer["error"].startswith("not a TokenReview")
