"""Access entries and policy associations through their lives, against the emulated account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox.providers.aws.provider import changed_inputs
from mlp_sandbox.providers.aws.resource import Aws, Handler, Props
from mlp_sandbox.providers.aws.services.eks.access import AccessEntry, AccessPolicyAssociation
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.driver import assert_speaks_the_sdk
from sandbox.tests.unit.providers.eks_ground import Ground
from sandbox.tests.unit.providers.emulated import emulated

VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with emulated(tmp_path_factory.mktemp("account")) as account:
        yield Ground(account)


@pytest.fixture(scope="module")
def cluster(ground: Ground) -> str:
    return ground.cluster("access")


@pytest.mark.parametrize("handler", [AccessEntry(), AccessPolicyAssociation()], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_an_entry_changes_its_groups_and_user_in_place(ground: Ground, cluster: str) -> None:
    life, role = ground.account.life(AccessEntry()), ground.role("team", "ec2.amazonaws.com")
    inputs: Props = {"clusterName": cluster, "principalArn": role, "tags": {"team": "ml"}}
    changed = {**inputs, "kubernetesGroups": ["data-science"], "userName": "team:{{SessionName}}", "tags": {}}
    assert life.lives(inputs, changed, {**changed, "kubernetesGroups": ["a", "b"]}) == f"{cluster}:{role}"


def test_a_policy_is_associated_for_a_namespace(ground: Ground, cluster: str) -> None:
    role = ground.role("viewer", "ec2.amazonaws.com")
    ground.account.life(AccessEntry()).create(clusterName=cluster, principalArn=role)
    life = ground.account.life(AccessPolicyAssociation())
    inputs = {"clusterName": cluster, "principalArn": role, "policyArn": VIEW}
    scoped = {**inputs, "accessScope": {"type": "namespace", "namespaces": ["training", "serving"]}}
    assert life.lives(scoped) == f"{cluster}#{role}#{VIEW}"
    life.lives({**inputs, "accessScope": {"type": "cluster"}})


def test_what_replaces_an_entry_or_an_association() -> None:
    entry = {"clusterName": "a", "principalArn": "p", "type": "STANDARD", "kubernetesGroups": ["x"]}
    assert _plan(AccessEntry(), entry, {**entry, "kubernetesGroups": ["y"]}) == {"kubernetesGroups": False}
    assert _plan(AccessEntry(), entry, {**entry, "principalArn": "q"}) == {"principalArn": True}
    scope = {"accessScope": {"type": "namespace", "namespaces": ["a", "b"]}}
    turned = {"accessScope": {"type": "namespace", "namespaces": ["b", "a"]}}
    other = {"accessScope": {"type": "namespace", "namespaces": ["a"]}}
    assert _plan(AccessPolicyAssociation(), scope, turned) == {}
    assert _plan(AccessPolicyAssociation(), scope, other) == {"accessScope": True}
    assert AccessPolicyAssociation().delete_before_replace  # or the old one's deletion takes the new one away


def test_bad_entries_are_refused_with_what_to_do() -> None:
    check, fine = AccessEntry().check, {"clusterName": "a", "principalArn": "p"}
    assert check({**fine, "kubernetesGroups": UNKNOWN, "type": UNKNOWN}) == []
    assert "access policy" in dict(check({**fine, "kubernetesGroups": ["system:masters"]}))["kubernetesGroups"]
    assert "EC2_LINUX" in dict(check({**fine, "type": "NODE"}))["type"]
    assert "leave it out" in dict(check({**fine, "type": "EC2_LINUX", "userName": "x"}))["userName"]
    with pytest.raises(ValueError, match="not of the form cluster-name:principal-arn"):
        AccessEntry().read(Aws("us-east-1"), "a", {})


def test_bad_associations_are_refused_with_what_to_do() -> None:
    check, fine = AccessPolicyAssociation().check, {"policyArn": VIEW, "accessScope": {"type": "cluster"}}
    assert check(fine) == []
    assert check({**fine, "accessScope": {"type": "namespace", "namespaces": [UNKNOWN]}}) == []
    iam = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert "cluster-access-policy" in dict(check({**fine, "policyArn": iam}))["policyArn"]
    assert "give namespaces" in dict(check({**fine, "accessScope": {"type": "namespace"}}))["accessScope"]
    assert "cluster, namespace" in dict(check({**fine, "accessScope": {"type": "all"}}))["accessScope"]
    both = {"type": "cluster", "namespaces": ["a"]}
    assert "leave namespaces out" in dict(check({**fine, "accessScope": both}))["accessScope"]


def _plan(handler: Handler, old: dict[str, Any], new: dict[str, Any]) -> dict[str, bool]:
    return {name: found.replace for name, found in changed_inputs(handler, old, {}, new).items()}
