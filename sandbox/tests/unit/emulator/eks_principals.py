"""Principals of an emulated account at its cluster: their tokens, and the identity that the API server receives."""

import base64
from typing import Any

from botocore.signers import RequestSigner

from sandbox.tests.unit.emulator.eks_world import World, trust
from sandbox.tests.unit.emulator.emulated import ACCOUNT, REGION, Emulated

POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS{}Policy"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/administrator"


def make_token(
    emulated: Emulated, *credentials: str, cluster: str = "ml", url: str = "http://127.0.0.1:4566/", **changes: str
) -> str:
    """Return a token as `aws eks get-token` creates it."""
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


def cluster_id(world: World, name: str = "ml") -> str:
    issuer = world.eks.describe_cluster(name=name)["cluster"]["identity"]["oidc"]["issuer"]
    return str(issuer.rpartition("/")[2])


def authenticate(world: World, token: str) -> dict[str, Any]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    status, answer = world.emulated.post(f"/_mlp/eks/{cluster_id(world)}/authenticate", review)
    assert (status, answer["kind"], answer["apiVersion"]) == (200, "TokenReview", "authentication.k8s.io/v1")
    return answer["status"]


def authorize(world: World, user: dict[str, Any], **attributes: str) -> dict[str, Any]:
    kind = "nonResourceAttributes" if "path" in attributes else "resourceAttributes"
    spec = {"user": user.get("username"), "groups": user.get("groups"), "extra": user.get("extra"), kind: attributes}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status, answer = world.emulated.post(f"/_mlp/eks/{cluster_id(world)}/authorize", review)
    assert (status, answer["kind"]) == (200, "SubjectAccessReview")
    return answer["status"]


def assume(world: World, role: str, session: str = "jane@example.com") -> tuple[str, str, str]:
    made = world.emulated.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


def person(world: World, name: str = "team") -> str:
    return world.role(name, trust("ec2.amazonaws.com").replace("Service", "AWS").replace("ec2.amazonaws.com", ACCOUNT))


def associate(world: World, principal: str, policy: str, *namespaces: str) -> None:
    scope = {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
    world.eks.associate_access_policy(
        clusterName="ml", principalArn=principal, policyArn=POLICY.format(policy), accessScope=scope
    )
