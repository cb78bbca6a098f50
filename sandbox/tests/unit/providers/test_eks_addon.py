"""EKS add-ons and Pod Identity associations through their lives, against the emulated account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox.providers.aws.provider import changed_inputs
from mlp_sandbox.providers.aws.resource import Aws
from mlp_sandbox.providers.aws.services.eks.addon import Addon
from mlp_sandbox.providers.aws.services.eks.pod_identity import PodIdentityAssociation
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk
from sandbox.tests.unit.providers.eks_ground import Ground
from sandbox.tests.unit.providers.emulated import emulated

PREFIXES = {"env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}}
DRIVER = "ebs-csi-controller-sa"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with emulated(tmp_path_factory.mktemp("account")) as account:
        yield Ground(account)


@pytest.fixture(scope="module")
def cluster(ground: Ground) -> str:
    return ground.cluster("addons")


@pytest.fixture
def life(ground: Ground) -> Life:
    return ground.account.life(Addon())


@pytest.mark.parametrize("handler", [Addon(), PodIdentityAssociation()], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Any) -> None:
    assert_speaks_the_sdk(handler)


def test_an_addon_changes_its_configuration_in_place(ground: Ground, life: Life, cluster: str) -> None:
    older, newer = _versions(ground, "vpc-cni")
    inputs = {
        "clusterName": cluster,
        "addonName": "vpc-cni",
        "addonVersion": older,
        "configurationValues": json.dumps(PREFIXES),
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "OVERWRITE",
        "tags": {"team": "ml"},
    }
    other = json.dumps({"env": {"ENABLE_PREFIX_DELEGATION": "true"}})
    changed = {**inputs, "addonVersion": newer, "configurationValues": other, "tags": {"cost": "ml"}}
    assert life.lives(inputs, changed) == "addons:vpc-cni"
    assert life.created == ["addons:vpc-cni"]


def test_an_addon_gets_its_role_by_pod_identity(ground: Ground, life: Life, cluster: str) -> None:
    pods = [{"roleArn": ground.pod_role("ebs-csi"), "serviceAccount": DRIVER}]
    inputs = {
        "clusterName": cluster,
        "addonName": "aws-ebs-csi-driver",
        "addonVersion": _versions(ground, "aws-ebs-csi-driver")[1],
        "podIdentityAssociations": pods,
    }
    other = [{"roleArn": ground.pod_role("ebs-csi-2"), "serviceAccount": DRIVER}]
    without = {key: value for key, value in inputs.items() if key != "podIdentityAssociations"}
    life.lives(inputs, {**inputs, "podIdentityAssociations": other}, without)


def test_what_aws_chooses_is_no_drift(life: Life, cluster: str) -> None:
    life.lives({"clusterName": cluster, "addonName": "coredns"})


def test_how_the_configuration_is_written_means_nothing() -> None:
    assert _plan({"configurationValues": '{"a": 1, "b": [1, 2]}'}, {"configurationValues": '{"b":[1,2],"a":1}'}) == {}
    args = _plan({"configurationValues": '{"args": ["-a", "-b"]}'}, {"configurationValues": '{"args": ["-b", "-a"]}'})
    assert args == {"configurationValues": False}


@pytest.mark.parametrize(
    ("name", "old", "new", "replaces"),
    [
        ("addonVersion", "v1", "v2", False),
        ("serviceAccountRoleArn", "a", "b", False),
        ("resolveConflictsOnUpdate", "NONE", "PRESERVE", False),
        ("addonName", "coredns", "kube-proxy", True),
        ("clusterName", "a", "b", True),
    ],
)
def test_only_its_identity_replaces_an_addon(name: str, old: str, new: str, replaces: bool) -> None:
    assert _plan({name: old}, {name: new}) == {name: replaces}


def test_bad_addons_are_refused() -> None:
    check = Addon().check
    fine = {"clusterName": "x", "addonName": "coredns"}
    assert check({**fine, "addonVersion": UNKNOWN, "configurationValues": UNKNOWN}) == []
    assert "JSON" in dict(check({**fine, "configurationValues": "a: 1"}))["configurationValues"]
    assert (
        "NONE, OVERWRITE" in dict(check({**fine, "resolveConflictsOnCreate": "PRESERVE"}))["resolveConflictsOnCreate"]
    )
    with pytest.raises(ValueError, match="not of the form cluster-name:addon-name"):
        Addon().read(Aws("us-east-1"), "coredns", {})


def test_the_user_sees_why_an_addon_is_waited_for() -> None:
    told: list[str] = []
    issue = {"code": "InsufficientNumberOfReplicas", "message": "no node runs its pods", "resourceIds": ["coredns"]}
    states = iter([{"status": "DEGRADED", "health": {"issues": [issue]}}, {"status": "ACTIVE"}])
    aws = Aws("us-east-1", timeout=5, progress=told.append)
    Addon().settle(aws, "EKS add-on ml:coredns", lambda: next(states), ("ACTIVE",), ("CREATE_FAILED",))
    assert told == [
        "EKS add-on ml:coredns is DEGRADED (0 s): InsufficientNumberOfReplicas: no node runs its pods (coredns)"
    ]


def test_an_association_changes_its_role_in_place(ground: Ground, cluster: str) -> None:
    life = ground.account.life(PodIdentityAssociation())
    inputs = {
        "clusterName": cluster,
        "namespace": "training",
        "serviceAccount": "trainer",
        "roleArn": ground.pod_role("trainer"),
        "tags": {"team": "ml"},
    }
    other = {**inputs, "roleArn": ground.pod_role("trainer-2"), "disableSessionTags": True, "tags": {"a": "b"}}
    id = life.create(**inputs)
    life.reads_back(f"{cluster},{id}", inputs)  # as `pulumi import` names it
    life.update(id, inputs, other)
    live = life.live(id, **other)
    assert (live["associationId"], live["roleArn"]) == (id, other["roleArn"])
    assert live["disableSessionTags"] is True
    assert live["associationArn"].endswith(f":podidentityassociation/{cluster}/{id}")
    life.reads_back(f"{cluster},{id}", other)
    life.delete(id, **other)
    assert life.read(id, **other) is None
    life.delete(id, **other)


def test_an_association_without_its_cluster_cannot_be_found() -> None:
    with pytest.raises(ValueError, match="not of the form cluster-name,association-id"):
        PodIdentityAssociation().read(Aws("us-east-1"), "a-1", {})


def test_a_session_policy_needs_session_tags_off() -> None:
    policy = {"policy": '{"Statement": []}'}
    assert "disableSessionTags" in dict(PodIdentityAssociation().check(policy))["policy"]
    assert PodIdentityAssociation().check({**policy, "disableSessionTags": True}) == []


def _versions(ground: Ground, addon: str) -> tuple[str, str]:
    """Return an older and the newest version of an add-on that the cluster accepts."""
    reply = ground.account.client("eks").describe_addon_versions(addonName=addon, kubernetesVersion="1.35")
    versions = [item["addonVersion"] for item in reply["addons"][0]["addonVersions"]]
    return versions[-1], versions[0]


def _plan(old: dict[str, Any], new: dict[str, Any]) -> dict[str, bool]:
    return {name: found.replace for name, found in changed_inputs(Addon(), old, {}, new).items()}
