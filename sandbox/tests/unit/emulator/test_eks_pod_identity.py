"""Pod Identity: associations, and credentials that a pod gets for its own token only."""

import base64
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.contracts.desired import PodIdentity
from mlp_sandbox.emulator.authorization.callers import session_of
from mlp_sandbox.emulator.authorization.sessions import details_of
from sandbox.tests.unit.emulator.eks_world import World, trust
from sandbox.tests.unit.emulator.emulated import ACCOUNT, Emulated, Plane


def _pod(account: str = "reader", uid: str = "11111111-1111-1111-1111-111111111111") -> PodIdentity:
    return PodIdentity(namespace="team", service_account=account, pod_name=f"{account}-x7k2p", pod_uid=uid)


@pytest.fixture
def cluster(with_plane: Emulated, plane: Plane) -> World:
    world = World(with_plane)
    world.cluster()
    plane.pods["good"] = _pod()
    plane.pods["other"] = _pod("writer", "22222222-2222-2222-2222-222222222222")
    return world


def _associate(world: World, **changes: Any) -> dict[str, Any]:
    sent = {"clusterName": "ml", "namespace": "team", "serviceAccount": "reader", "roleArn": world.pod_role}
    return world.eks.create_pod_identity_association(**sent | changes)["association"]


def _assume(world: World, token: str = "good") -> dict[str, Any]:
    return world.emulated.client("eks-auth").assume_role_for_pod_identity(clusterName="ml", token=token)


def test_a_pod_gets_credentials_of_its_association_s_role(cluster: World):
    association = _associate(cluster)
    answer = _assume(cluster)
    assert answer["subject"] == {"namespace": "team", "serviceAccount": "reader"}
    assert answer["podIdentityAssociation"]["associationId"] == association["associationId"]
    credentials = answer["credentials"]
    sts = cluster.emulated.client(
        "sts", credentials["accessKeyId"], credentials["secretAccessKey"], credentials["sessionToken"]
    )
    arn = sts.get_caller_identity()["Arn"]
    assert arn == answer["assumedRoleUser"]["arn"]
    assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/pods/eks-ml-reader-x7k2p-")
    assert len(arn.rpartition("/")[2]) <= 64
    session = session_of(ACCOUNT, credentials["accessKeyId"])
    assert session is not None
    assert details_of(session).tags == {
        "eks-cluster-arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/ml",
        "eks-cluster-name": "ml",
        "kubernetes-namespace": "team",
        "kubernetes-service-account": "reader",
        "kubernetes-pod-name": "reader-x7k2p",
        "kubernetes-pod-uid": "11111111-1111-1111-1111-111111111111",
    }


def test_a_pod_without_association_gets_nothing(cluster: World):
    _associate(cluster)
    with pytest.raises(
        ClientError, match="No association found for service account writer of namespace team"
    ) as caught:
        _assume(cluster, "other")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_token_that_the_cluster_did_not_sign_gets_nothing_and_an_old_one_is_called_old(cluster: World):
    _associate(cluster)
    with pytest.raises(ClientError) as caught:
        _assume(cluster, "forged")
    assert caught.value.response["Error"]["Code"] == "InvalidTokenException"
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() - 60}).encode()).decode().rstrip("=")
    with pytest.raises(ClientError) as caught:
        _assume(cluster, f"head.{claims}.tail")
    assert caught.value.response["Error"]["Code"] == "ExpiredTokenException"


def test_nobody_can_claim_to_be_a_pod_that_was_not_verified(cluster: World):
    _associate(cluster)
    client = cluster.emulated.client("eks-auth")
    claim = json.dumps({"namespace": "team", "pod_name": "x", "pod_uid": "y", "service_account": "reader"})

    def forge(request: Any, **_: Any) -> None:
        request.headers["x-mlp-verified-pod"] = claim

    client.meta.events.register_first("before-send", forge)
    with pytest.raises(ClientError) as caught:
        client.assume_role_for_pod_identity(clusterName="ml", token="forged")
    assert caught.value.response["Error"]["Code"] == "InvalidTokenException"


def test_credentials_are_handed_out_again_and_the_journal_stays_small(cluster: World, plane: Plane):
    _associate(cluster)
    before = cluster.emulated.journal_lines
    first = _assume(cluster)["credentials"]
    assert [_assume(cluster)["credentials"]["accessKeyId"] for _ in range(5)] == [first["accessKeyId"]] * 5
    for token in ("forged", "other"):
        with pytest.raises(ClientError):
            _assume(cluster, token)
    assert cluster.emulated.journal_lines == before + 1
    plane.pods["good"] = _pod(uid="33333333-3333-3333-3333-333333333333")
    assert _assume(cluster)["credentials"]["accessKeyId"] != first["accessKeyId"], "another pod, another session"


def test_another_role_means_other_credentials_at_once(cluster: World):
    association = _associate(cluster)
    first = _assume(cluster)
    other = cluster.role("others", trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession"))
    cluster.eks.update_pod_identity_association(
        clusterName="ml", associationId=association["associationId"], roleArn=other
    )
    second = _assume(cluster)
    assert second["credentials"]["accessKeyId"] != first["credentials"]["accessKeyId"]
    assert "/others/" in second["assumedRoleUser"]["arn"]
    cluster.eks.delete_pod_identity_association(clusterName="ml", associationId=association["associationId"])
    with pytest.raises(ClientError, match="No association found"):
        _assume(cluster)


def test_a_role_that_no_longer_trusts_eks_is_not_assumed(cluster: World):
    _associate(cluster)
    cluster.iam.update_assume_role_policy(RoleName="pods", PolicyDocument=trust("ec2.amazonaws.com"))
    with pytest.raises(ClientError, match="EKS does not have permissions to assume the associated role") as caught:
        _assume(cluster)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_credentials_are_known_after_a_restart_and_the_token_is_not_in_the_journal(cluster: World, plane: Plane):
    _associate(cluster)
    credentials = _assume(cluster)["credentials"]
    keys = credentials["accessKeyId"], credentials["secretAccessKey"], credentials["sessionToken"]
    caller = cluster.emulated.client("sts", *keys).get_caller_identity()["Arn"]
    journal = (cluster.emulated.home / "journal" / "journal.jsonl").read_text()
    assert '"good"' not in journal.replace('\\"', '"')
    cluster.emulated.restart()
    assert cluster.emulated.client("sts", *keys).get_caller_identity()["Arn"] == caller
    assert _assume(cluster)["credentials"]["accessKeyId"] == credentials["accessKeyId"]


def test_a_service_account_has_one_association(cluster: World):
    association = _associate(cluster)
    with pytest.raises(ClientError, match=f"Association already exists: {association['associationId']}") as caught:
        _associate(cluster)
    assert caught.value.response["Error"]["Code"] == "ResourceInUseException"
    _associate(cluster, namespace="another")
    listed = cluster.eks.list_pod_identity_associations(clusterName="ml", namespace="team")["associations"]
    assert [item["associationId"] for item in listed] == [association["associationId"]]


@pytest.mark.parametrize(
    ("actions", "service"),
    [
        (["sts:AssumeRole"], "pods.eks.amazonaws.com"),
        (["sts:AssumeRole", "sts:TagSession"], "ec2.amazonaws.com"),
    ],
)
def test_a_role_that_pods_could_not_assume_is_refused(cluster: World, actions: list[str], service: str):
    role = cluster.role("wrong", trust(service, *actions))
    with pytest.raises(ClientError, match="must allow the service principal pods") as caught:
        _associate(cluster, roleArn=role)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    with pytest.raises(ClientError, match="does not exist"):
        _associate(cluster, roleArn=f"arn:aws:iam::{ACCOUNT}:role/nobody")


def test_without_a_data_plane_no_token_is_good(world: World):
    world.cluster()
    _associate(world)
    with pytest.raises(ClientError) as caught:
        _assume(world)
    assert caught.value.response["Error"]["Code"] == "InvalidTokenException"
