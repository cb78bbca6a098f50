"""Access entries and policies of the emulated EKS, and what a cluster's API server is answered from them."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from botocore.signers import RequestSigner

from tests.unit.sandbox.emulator.eks_world import World, trust
from tests.unit.sandbox.emulator.emulated import ACCOUNT, REGION, Emulated

_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS{}Policy"
_ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/administrator"


def _token(
    emulated: Emulated, *credentials: str, cluster: str = "ml", url: str = "http://127.0.0.1:4566/", **changes: str
) -> str:
    """As `aws eks get-token` makes it."""
    sts = emulated.client("sts", *credentials)
    signer = RequestSigner(
        sts.meta.service_model.service_id, REGION, "sts", "v4", sts._request_signer._credentials, sts.meta.events
    )
    query = {"Action": "GetCallerIdentity", "Version": "2011-06-15"} | changes
    request = {
        "method": "GET",
        "url": url + "?" + "&".join(f"{name}={value}" for name, value in query.items()),
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    signed = signer.generate_presigned_url(request, region_name=REGION, expires_in=60, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(str(signed).encode()).decode().rstrip("=")


def _id(world: World, name: str = "ml") -> str:
    issuer = world.eks.describe_cluster(name=name)["cluster"]["identity"]["oidc"]["issuer"]
    return str(issuer.rpartition("/")[2])


def _authenticate(world: World, token: str) -> dict[str, Any]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    status, answer = world.emulated.post(f"/_mlp/eks/{_id(world)}/authenticate", review)
    assert (status, answer["kind"], answer["apiVersion"]) == (200, "TokenReview", "authentication.k8s.io/v1")
    return answer["status"]


def _authorize(world: World, user: dict[str, Any], **attributes: str) -> dict[str, Any]:
    kind = "nonResourceAttributes" if "path" in attributes else "resourceAttributes"
    spec = {"user": user.get("username"), "groups": user.get("groups"), "extra": user.get("extra"), kind: attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status, answer = world.emulated.post(f"/_mlp/eks/{_id(world)}/authorize", review)
    assert (status, answer["kind"]) == (200, "SubjectAccessReview")
    return answer["status"]


def _assume(world: World, role: str, session: str = "jane@example.com") -> tuple[str, str, str]:
    made = world.emulated.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


def _person(world: World, name: str = "team") -> str:
    return world.role(name, trust("ec2.amazonaws.com").replace("Service", "AWS").replace("ec2.amazonaws.com", ACCOUNT))


def _associate(world: World, principal: str, policy: str, *namespaces: str) -> None:
    scope = {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
    world.eks.associate_access_policy(
        clusterName="ml", principalArn=principal, policyArn=_POLICY.format(policy), accessScope=scope
    )


def test_the_creator_administers_the_cluster_under_the_name_that_sts_says(world: World):
    assert world.emulated.client("sts").get_caller_identity()["Arn"] == _ADMINISTRATOR
    world.cluster()
    user = _authenticate(world, _token(world.emulated))["user"]
    assert user["username"] == _ADMINISTRATOR
    assert _authorize(world, user, verb="delete", resource="nodes")["allowed"]
    assert _authorize(world, user, verb="get", path="/metrics")["allowed"]
    policies = world.eks.list_associated_access_policies(clusterName="ml", principalArn=_ADMINISTRATOR)
    assert [item["policyArn"] for item in policies["associatedAccessPolicies"]] == [_POLICY.format("ClusterAdmin")]


def test_without_bootstrap_nobody_is_let_in_until_an_entry_says_so(world: World):
    world.cluster(accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False})
    answer = _authenticate(world, _token(world.emulated))
    assert answer == {"authenticated": False, "error": f"{_ADMINISTRATOR} has no access entry"}


def test_a_role_comes_in_as_its_session(world: World):
    role = _person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role, kubernetesGroups=["ml-team"])
    answer = _authenticate(world, _token(world.emulated, *_assume(world, role)))
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
    token = _token(world.emulated, key["AccessKeyId"], key["SecretAccessKey"])
    assert _authenticate(world, token)["user"]["username"] == arn
    world.eks.update_access_entry(clusterName="ml", principalArn=arn, username="jane", kubernetesGroups=["viewers"])
    user = _authenticate(world, token)["user"]
    assert (user["username"], user["groups"]) == ("jane", ["viewers"])


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
            role = _person(world)
            return role, lambda: _assume(world, role)
        arn = str(world.iam.create_user(UserName="team")["User"]["Arn"])
        key = world.iam.create_access_key(UserName="team")["AccessKey"]
        return arn, lambda: (key["AccessKeyId"], key["SecretAccessKey"])

    principal, credentials = made()
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=principal)
    _associate(world, principal, "ClusterAdmin")
    admitted = _authenticate(world, _token(world.emulated, *credentials()))["user"]
    assert _authorize(world, admitted, verb="get", resource="secrets", namespace="x")["allowed"]
    if kind == "role":
        world.iam.delete_role(RoleName="team")
    else:
        for key in world.iam.list_access_keys(UserName="team")["AccessKeyMetadata"]:
            world.iam.delete_access_key(UserName="team", AccessKeyId=key["AccessKeyId"])
        world.iam.delete_user(UserName="team")
    _, credentials = made()
    world.emulated.restart()
    refused = _authenticate(world, _token(world.emulated, *credentials()))
    assert refused["authenticated"] is False
    assert "its entry is that of an earlier one of the same name" in refused["error"]
    forged = admitted | {"extra": admitted["extra"] | {"principalId": ["another"]}}
    assert not _authorize(world, forged, verb="get", resource="secrets", namespace="x")["allowed"]
    described = world.eks.describe_access_entry(clusterName="ml", principalArn=principal)["accessEntry"]
    assert described["principalArn"] == principal
    world.eks.delete_access_entry(clusterName="ml", principalArn=principal)
    world.eks.create_access_entry(clusterName="ml", principalArn=principal)
    assert _authenticate(world, _token(world.emulated, *credentials()))["authenticated"] is True


def test_a_token_proves_nothing_once_it_is_old_or_was_made_for_something_else(world: World):
    world.cluster()
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=False):
        old = _token(world.emulated)
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=14), tick=False):
        good = _token(world.emulated)
    assert _authenticate(world, good)["authenticated"]
    refused = {
        "token is expired": old,
        "made for a cluster other than ml": _token(world.emulated, cluster="another"),
        "which is no STS endpoint": _token(world.emulated, url="http://evil.example.com/"),
        "leads elsewhere than to STS": _token(world.emulated, url="http://127.0.0.1:4566/path"),
        "asks for AssumeRole": _token(world.emulated, Action="AssumeRole"),
        "parameters it should not have": _token(world.emulated, RoleArn="x"),
        "does not begin with k8s-aws-v1.": "something",
        "holds no URL": "k8s-aws-v1.%%%",
    }
    for reason, token in refused.items():
        answer = _authenticate(world, token)
        assert answer["authenticated"] is False
        assert reason in answer["error"]


def test_a_role_s_token_needs_its_own_secret_and_its_own_time(world: World):
    role = _person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    key, secret, session = _assume(world, role)
    assert "wrong secret" in _authenticate(world, _token(world.emulated, key, "guessed", session))["error"]
    assert "session token" in _authenticate(world, _token(world.emulated, key, secret, "other"))["error"]
    assert "is not known" in _authenticate(world, _token(world.emulated, "ASIA0000000000000000", secret))["error"]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2), tick=False):
        answer = _authenticate(world, _token(world.emulated, key, secret, session))
    assert "the credentials that signed it are" in answer["error"]


def test_a_policy_in_a_namespace_allows_there_what_it_names_and_nothing_elsewhere(world: World):
    role = _person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    _associate(world, role, "Edit", "team-a", "team-a-*")
    user = _authenticate(world, _token(world.emulated, *_assume(world, role)))["user"]
    for namespace in ("team-a", "team-a-dev"):
        assert _authorize(world, user, verb="create", group="apps", resource="deployments", namespace=namespace)[
            "allowed"
        ]
    assert _authorize(world, user, verb="create", resource="pods", subresource="exec", namespace="team-a")["allowed"]
    answer = _authorize(world, user, verb="create", group="apps", resource="deployments", namespace="team-b")
    assert answer == {
        "allowed": False,
        "reason": f"no EKS access policy of {role} allows create deployments.apps in namespace team-b",
    }
    assert not _authorize(world, user, verb="list", resource="pods")["allowed"]
    for group, resource in (("rbac.authorization.k8s.io", "roles"), ("", "resourcequotas")):
        assert not _authorize(world, user, verb="create", group=group, resource=resource, namespace="team-a")["allowed"]


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
    role = _person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    _associate(world, role, policy)
    user = _authenticate(world, _token(world.emulated, *_assume(world, role)))["user"]
    for allowed, asked in ((True, may), (False, may_not)):
        for verb, group, resource in asked:
            kind, _, sub = resource.partition("/")
            answer = _authorize(world, user, verb=verb, group=group, resource=kind, subresource=sub, namespace="any")
            assert answer["allowed"] is allowed, (policy, verb, group, resource)


def test_kubernetes_own_accounts_are_no_business_of_eks(world: World):
    world.cluster()
    answer = _authorize(world, {"username": "system:kube-scheduler"}, verb="list", resource="pods")
    assert answer == {"allowed": False}


def test_a_policy_taken_away_allows_no_longer(world: World):
    role = _person(world)
    world.cluster()
    world.eks.create_access_entry(clusterName="ml", principalArn=role)
    _associate(world, role, "ClusterAdmin")
    user = _authenticate(world, _token(world.emulated, *_assume(world, role)))["user"]
    world.eks.disassociate_access_policy(clusterName="ml", principalArn=role, policyArn=_POLICY.format("ClusterAdmin"))
    assert not _authorize(world, user, verb="get", resource="nodes")["allowed"]
    world.eks.delete_access_entry(clusterName="ml", principalArn=role)
    with pytest.raises(ClientError, match="must specify a valid principalArn"):
        world.eks.describe_access_entry(clusterName="ml", principalArn=role)


def test_webhooks_answer_for_clusters_that_exist_and_reviews_that_read(world: World):
    assert world.emulated.post("/_mlp/eks/NOTHERE/authenticate", {})[0] == 404
    world.cluster()
    status, answer = world.emulated.post(f"/_mlp/eks/{_id(world)}/authenticate", {"kind": "TokenReview"})
    assert status == 400
    assert answer["error"].startswith("not a TokenReview")


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
        _associate(world, world.node_role, "View")
    with pytest.raises(ClientError, match="policyArn parameter format is not valid"):
        _associate(world, _ADMINISTRATOR, "Nothing")
    with pytest.raises(ClientError, match="type cluster takes none, type namespace some"):
        world.eks.associate_access_policy(
            clusterName="ml",
            principalArn=_ADMINISTRATOR,
            policyArn=_POLICY.format("View"),
            accessScope={"type": "namespace"},
        )


def test_entries_are_listed_by_policy_and_page_by_page(world: World):
    world.cluster()
    arns = [_person(world, f"team-{number}") for number in range(3)]
    for arn in arns:
        world.eks.create_access_entry(clusterName="ml", principalArn=arn)
    _associate(world, arns[1], "View", "a")
    listed = world.eks.list_access_entries(clusterName="ml", associatedPolicyArn=_POLICY.format("View"))
    assert listed["accessEntries"] == [arns[1]]
    pages = world.eks.get_paginator("list_access_entries").paginate(clusterName="ml", PaginationConfig={"PageSize": 2})
    assert [len(page["accessEntries"]) for page in pages] == [2, 2]
    assert _POLICY.format("View") in {item["arn"] for item in world.eks.list_access_policies()["accessPolicies"]}
