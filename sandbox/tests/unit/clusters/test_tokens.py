"""Validation of service-account tokens for Pod Identity."""

import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from mlp_sandbox.clusters.control_plane import pki
from mlp_sandbox.clusters.control_plane.tokens import verify
from mlp_sandbox.contracts.desired import PodIdentity

ISSUER = "https://oidc.eks.us-east-1.amazonaws.com/id/ABC"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": ["pods.eks.amazonaws.com"],
    "nbf": time.time() - 10,
    "exp": time.time() + 600,
    "kubernetes.io": {
        "namespace": "ml",
        "serviceaccount": {"name": "trainer", "uid": "1"},
        "pod": {"name": "train-1", "uid": "2"},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pki")
    pki.token_key(made)
    return made


def sign(folder: Path, **changes: Any) -> str:
    claims = {key: value for key, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(pki.token_key(folder).read_bytes()))


def check(folder: Path, token: str, issuer: str = ISSUER) -> PodIdentity | None:
    return verify(token, pki.token_public_key(folder).read_bytes(), issuer)


def test_a_token_of_the_cluster_names_its_pod(folder: Path):
    assert check(folder, sign(folder)) == PodIdentity(
        namespace="ml", service_account="trainer", pod_name="train-1", pod_uid="2"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://kubernetes.default.svc"]},
        {"aud": None},
        {"iss": "https://oidc.eks.us-east-1.amazonaws.com/id/OTHER"},
        {"exp": time.time() - 60},
        {"exp": None},
        {"nbf": time.time() + 600},
        {"kubernetes.io": {"namespace": "ml", "serviceaccount": {"name": "trainer"}}},
        {"kubernetes.io": "ml"},
    ],
)
def test_a_token_for_others_or_another_time_or_no_pod_is_refused(folder: Path, changes: dict[str, Any]):
    assert check(folder, sign(folder, **changes)) is None


def test_a_token_of_another_cluster_is_refused(folder: Path, tmp_path: Path):
    assert check(folder, sign(tmp_path)) is None


def test_a_token_signed_with_a_shared_secret_is_refused(folder: Path):
    secret = OctKey.import_key(b"x" * 32)
    assert check(folder, jwt.encode({"alg": "HS256"}, CLAIMS, secret, algorithms=["HS256"])) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "k8s-aws-v1.abc", "é"])
def test_what_is_no_token_is_refused(folder: Path, token: str):
    assert check(folder, token) is None
