"""Configuration of a cluster's API server."""

import json
from pathlib import Path

from mlp_sandbox.clusters.control_plane.apiserver import ApiServerSettings, Webhooks, files
from mlp_sandbox.clusters.folder import ClusterFolder

ROOT = "http://198.18.1.1:4566/_mlp/eks/c-1"


def settings(webhooks: Webhooks | None) -> ApiServerSettings:
    return ApiServerSettings(
        issuer="https://oidc.test",
        service_cidr="172.20.0.0/16",
        bind_address="127.0.0.1",
        advertise_address="127.0.0.1",
        port=443,
        endpoints=False,
        etcd="https://127.0.0.1:2379",
        webhooks=webhooks,
    )


def folder(root: Path) -> ClusterFolder:
    made = ClusterFolder(root)
    made.make()
    return made


def test_access_is_asked_of_eks_after_rbac_and_not_for_kubernetes_own_names(tmp_path: Path):
    content = files(
        folder(tmp_path), settings(Webhooks(authenticate=f"{ROOT}/authenticate", authorize=f"{ROOT}/authorize"))
    )
    authorizers = json.loads(content["authorization.json"])["authorizers"]
    assert [each["type"] for each in authorizers] == ["Node", "RBAC", "Webhook"]
    assert authorizers[2]["webhook"]["matchConditions"] == [{"expression": "!request.user.startsWith('system:')"}]
    servers = {
        name: json.loads(content[name])["clusters"][0]["cluster"]["server"] for name in content if "webhook" in name
    }
    assert servers == {"token-webhook.json": f"{ROOT}/authenticate", "access-webhook.json": f"{ROOT}/authorize"}


def test_a_scratch_server_asks_nobody(tmp_path: Path):
    content = files(folder(tmp_path), settings(None))
    assert [each["type"] for each in json.loads(content["authorization.json"])["authorizers"]] == ["Node", "RBAC"]
    assert not [name for name in content if "webhook" in name]


def test_without_a_name_only_the_health_is_told(tmp_path: Path):
    anonymous = json.loads(files(folder(tmp_path), settings(None))["authentication.json"])["anonymous"]
    assert [each["path"] for each in anonymous["conditions"]] == ["/healthz", "/livez", "/readyz"]


def test_the_key_of_secrets_stays_the_same(tmp_path: Path):
    place = folder(tmp_path)
    first = files(place, settings(None))["encryption.json"]
    assert files(place, settings(None))["encryption.json"] == first
    [provider, fallback] = json.loads(first)["resources"][0]["providers"]
    assert list(provider) == ["aescbc"]
    assert fallback == {"identity": {}}
