"""EKS clusters through their lives, against the emulated account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.providers.aws.provider import changed_inputs
from mlp_sandbox.providers.aws.resource import Aws, Props
from mlp_sandbox.providers.aws.services.eks.cluster import Cluster
from mlp_sandbox.providers.aws.services.eks.functions import get_cluster
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk
from sandbox.tests.unit.providers.eks_ground import Ground
from sandbox.tests.unit.providers.emulated import emulated

NESTED: Props = {
    "name": "ml",
    "roleArn": "arn:role",
    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
    "encryptionConfig": {"provider": {"keyArn": "arn:key"}, "resources": ["secrets"]},
    "vpcConfig": {"subnetIds": ["a", "b"], "endpointPrivateAccess": True, "endpointPublicAccess": False},
    "version": "1.35",
}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with emulated(tmp_path_factory.mktemp("account")) as account:
        yield Ground(account)


@pytest.fixture
def life(ground: Ground) -> Life:
    return ground.account.life(Cluster())


def test_the_handler_knows_the_inputs_of_the_official_sdk() -> None:
    assert_speaks_the_sdk(Cluster())


def test_a_private_cluster_is_changed_in_place_one_kind_at_a_time(ground: Ground, life: Life) -> None:
    inputs = ground.cluster_inputs("changed")
    vpc = {
        **inputs["vpcConfig"],
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["52.94.76.0/24"],
        "securityGroupIds": [ground.group("control-plane")],
        "subnetIds": ground.subnets[1::-1],
    }
    changed = {
        **inputs,
        "enabledClusterLogTypes": ["audit", "authenticator"],
        "upgradePolicy": {"supportType": "EXTENDED"},
        "version": "1.36",
        "vpcConfig": vpc,
        "zonalShiftConfig": {"enabled": True},
        "tags": {"cost": "ml"},
    }
    assert life.lives(inputs, changed, {**changed, "enabledClusterLogTypes": []}) == "changed"
    assert life.created == ["changed"]


def test_what_aws_chooses_is_no_drift(ground: Ground, life: Life) -> None:
    bare = {"name": "bare", "roleArn": ground.cluster_role, "vpcConfig": {"subnetIds": ground.subnets[:2]}}
    life.lives(bare)


def test_outputs_lead_into_the_cluster(ground: Ground, life: Life) -> None:
    live = life.live(life.create(**ground.cluster_inputs("outputs")))
    assert live["arn"] == "arn:aws:eks:us-east-1:123456789012:cluster/outputs"
    assert live["status"] == "ACTIVE"
    assert live["identities"][0]["oidcs"][0]["issuer"].startswith("https://oidc.eks.us-east-1.")
    assert set(live["certificateAuthority"]) == {"data"}
    assert live["vpcConfig"]["vpcId"] == ground.vpc
    assert live["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")


def test_a_cluster_without_encryption_gets_it_in_place(ground: Ground, life: Life) -> None:
    inputs = ground.cluster_inputs("plain")
    plain = {key: value for key, value in inputs.items() if key != "encryptionConfig"}
    life.lives(plain, inputs)


def test_another_key_is_refused_with_the_reason(ground: Ground, life: Life) -> None:
    inputs = ground.cluster_inputs("other-key")
    id = life.create(**inputs)
    other = {**inputs, "encryptionConfig": {"provider": {"keyArn": "arn:other"}, "resources": ["secrets"]}}
    with pytest.raises(ValueError, match="EKS keeps the key that a cluster has"):
        life.update(id, inputs, other)


def test_deletion_protection_is_said_in_the_words_of_aws(ground: Ground, life: Life) -> None:
    inputs = ground.cluster_inputs("protected", deletionProtection=True)
    id = life.create(**inputs)
    with pytest.raises(ClientError, match=r"(?i)deletion.?protection"):
        life.delete(id, **inputs)
    life.update(id, inputs, {**inputs, "deletionProtection": False})
    life.delete(id, **inputs)
    assert life.read(id) is None


def test_versions_are_not_skipped(ground: Ground, life: Life) -> None:
    inputs = ground.cluster_inputs("skipped", version="1.34")
    id = life.create(**inputs)
    with pytest.raises(ClientError, match=r"1\.36"):
        life.update(id, inputs, {**inputs, "version": "1.36"})


def test_the_function_finds_a_cluster(ground: Ground, life: Life) -> None:
    id = life.create(**ground.cluster_inputs("looked-up"))
    found = get_cluster(life.aws, {"name": id})
    assert found["id"] == found["name"] == id
    assert found["certificateAuthorities"] == [life.live(id)["certificateAuthority"]]
    assert found["accessConfigs"][0]["authenticationMode"] == "API"
    assert found["upgradePolicies"] == [{"supportType": "STANDARD"}]
    assert found["computeConfigs"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accessConfig", {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}),
        ("kubernetesNetworkConfig", {"serviceIpv4Cidr": "172.21.0.0/16"}),
        ("encryptionConfig", None),
        ("name", "other"),
        ("roleArn", "arn:other"),
    ],
)
def test_what_only_a_creation_takes_replaces_the_cluster(name: str, value: Any) -> None:
    assert _plan({name: value}) == {name: True}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (
            "accessConfig",
            {"authenticationMode": "API_AND_CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": False},
        ),
        ("version", "1.36"),
        ("vpcConfig", {"subnetIds": ["a", "c"], "endpointPrivateAccess": True, "endpointPublicAccess": False}),
        ("vpcConfig", {"subnetIds": ["a", "b"], "endpointPrivateAccess": True}),  # public is the default
        ("enabledClusterLogTypes", ["api"]),
        ("deletionProtection", True),
    ],
)
def test_the_rest_is_changed_in_place(name: str, value: Any) -> None:
    assert _plan({name: value}) == {name: False}


def test_the_order_of_subnets_means_nothing() -> None:
    assert _plan({"vpcConfig": {**NESTED["vpcConfig"], "subnetIds": ["b", "a"]}}) == {}


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    check, fine = Cluster().check, NESTED
    assert check(fine) == []
    assert "begin with a letter" in dict(check({**fine, "name": "-x"}))["name"]
    assert "is missing" in dict(check({"name": "x"}))["vpcConfig"]
    modes = dict(check({**fine, "accessConfig": {"authenticationMode": "RBAC"}}))
    assert "API_AND_CONFIG_MAP" in modes["accessConfig"]
    assert "controllerManager" in dict(check({**fine, "enabledClusterLogTypes": ["etcd"]}))["enabledClusterLogTypes"]
    closed = {"subnetIds": ["a", "b"], "endpointPublicAccess": False}
    assert "set endpointPrivateAccess" in dict(check({**fine, "vpcConfig": closed}))["vpcConfig"]
    assert "managed node groups" in dict(check({**fine, "computeConfig": {"enabled": True}}))["computeConfig"]
    assert "Outposts" in dict(check({**fine, "outpostConfig": {"outpostArns": ["x"]}}))["outpostConfig"]


def test_values_that_are_not_known_yet_pass() -> None:
    unknown = {"subnetIds": [UNKNOWN, UNKNOWN], "endpointPublicAccess": True}
    key = {"provider": {"keyArn": UNKNOWN}, "resources": ["secrets"]}
    inputs = {"name": "x", "roleArn": UNKNOWN, "vpcConfig": unknown, "encryptionConfig": key, "version": UNKNOWN}
    assert Cluster().check(inputs) == []


def test_a_failed_creation_says_what_eks_says() -> None:
    issue = {"code": "Ec2SubnetNotFound", "message": "it is gone", "resourceIds": ["subnet-1"]}
    failed = {"status": "FAILED", "health": {"issues": [issue]}}
    aws = Aws("us-east-1", timeout=5)
    with pytest.raises(ValueError, match=r"'FAILED' instead of 'ACTIVE': Ec2SubnetNotFound: it is gone \(subnet-1\)"):
        Cluster().settle(aws, "EKS cluster x", lambda: failed, ("ACTIVE",), ("FAILED",))


def test_the_user_sees_what_is_waited_for() -> None:
    told: list[str] = []
    states = iter([{"status": "CREATING"}, {"status": "CREATING"}, {"status": "ACTIVE"}])
    aws = Aws("us-east-1", timeout=5, progress=told.append)
    Cluster().settle(aws, "EKS cluster x", lambda: next(states), ("ACTIVE",), ("FAILED",))
    assert told == ["EKS cluster x is CREATING (0 s)", "EKS cluster x is CREATING (0 s)"]


def _plan(change: Props) -> dict[str, bool]:
    """Return the changed inputs, each with whether it replaces the cluster."""
    new = {name: value for name, value in {**NESTED, **change}.items() if value is not None}
    return {name: found.replace for name, found in changed_inputs(Cluster(), NESTED, {}, new).items()}
