"""Access to clusters: credentials, rejections, API servers that do not answer, and a change to another cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.kinds import Kind
from mlp_sandbox.testing.box import free_port
from sandbox.tests.live.providers.clusters import ClusterProgram, make

ACCOUNT = Kind("", "v1", "ServiceAccount")
SOURCE = 'k8s.core.v1.ConfigMap("a", metadata={"namespace": NAMESPACE, "name": "a"}, data={"x": "1"}, opts=options())'


def token_of(cluster: Cluster, namespace: str, account: str) -> str:
    path = f"{cluster.path(ACCOUNT, namespace, account)}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    return str(cluster.connection.request("POST", path, None, body).json()["status"]["token"])


def may_write_config_maps(cluster: Cluster, namespace: str) -> None:
    inside = {"name": "writer", "namespace": namespace}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]
    make(cluster, {**rbac, "kind": "Role", "metadata": inside, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writer"}
    make(cluster, {**rbac, "kind": "RoleBinding", "metadata": inside, "roleRef": role, "subjects": [subject]})


def kubeconfig(kube: ClusterProgram, user: dict[str, Any], **cluster: Any) -> str:
    config = yaml.safe_load(kube.kubeconfig.read_text())
    config["users"][0]["user"] = user
    config["clusters"][0]["cluster"].update(cluster)
    return str(yaml.safe_dump(config))


def command(folder: Path, tokens: list[str]) -> dict[str, Any]:
    """Return a user whose credentials come from a command. It issues the tokens in order and counts its calls."""
    script, calls = folder / "credentials.sh", folder / "calls"
    (folder / "tokens.json").write_text(json.dumps(tokens))
    script.write_text(f"""#!{Path("/bin/sh")}
n=$(cat {calls} 2>/dev/null || echo 0)
echo $((n + 1)) > {calls}
exec python3 -c 'import json, sys
tokens = json.load(open("{folder}/tokens.json"))
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
    "status": {{"token": tokens[min(int(sys.argv[1]), len(tokens) - 1)]}}}}))' "$n"
""")
    script.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "args": [], "env": []}}


def test_credentials_of_a_command_are_kept_and_renewed_when_they_are_refused(
    kube: ClusterProgram, cluster: Cluster
) -> None:
    may_write_config_maps(cluster, kube.namespace)
    token = token_of(cluster, kube.namespace, "default")
    user = command(kube.folder, ["expired-planted-token", token])
    kube.write(SOURCE, kube.provider(kubeconfig=kubeconfig(kube, user)))
    shown = kube.up()
    assert (kube.folder / "calls").read_text().strip() == "2"
    state = kube.box.run("pulumi", "stack", "export", "--stack", "test", cwd=kube.folder).stdout
    for secret in ("expired-planted-token", token):
        assert secret not in shown + state


def test_credentials_that_are_not_accepted_say_so(kube: ClusterProgram) -> None:
    user = command(kube.folder, ["expired-planted-token"])
    kube.write(SOURCE, kube.provider(kubeconfig=kubeconfig(kube, user)))
    failed = kube.up(ok=False)
    assert "does not accept the credentials of the kubeconfig (401): the token has expired" in failed
    assert "expired-planted-token" not in failed


def test_a_command_that_fails_is_quoted(kube: ClusterProgram) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "args": ["--cluster", "x"]}}
    kube.write(SOURCE, kube.provider(kubeconfig=kubeconfig(kube, user)))
    assert "no credentials from `false --cluster x`: exec: process returned 1" in kube.up(ok=False)


def test_what_the_user_may_not_do_names_user_verb_and_resource(kube: ClusterProgram, cluster: Cluster) -> None:
    token = token_of(cluster, kube.namespace, "default")
    kube.write(SOURCE, kube.provider(kubeconfig=kubeconfig(kube, {"token": token})))
    refused = f'User "system:serviceaccount:{kube.namespace}:default" cannot get resource "configmaps"'
    preview = kube.preview(ok=False)
    assert refused in preview
    failed = kube.up(ok=False)
    assert refused in failed
    assert "not allowed (403)" in failed
    assert token not in preview + failed


@pytest.mark.parametrize("change", ["credentials", "description"])
def test_another_way_into_the_same_cluster_replaces_nothing(
    kube: ClusterProgram, cluster: Cluster, change: str
) -> None:
    kube.write(SOURCE)
    kube.up()
    may_write_config_maps(cluster, kube.namespace)
    user = {"token": token_of(cluster, kube.namespace, "default")}
    text = kubeconfig(kube, user) if change == "credentials" else kube.kubeconfig.read_text() + "# note\n"
    kube.write(SOURCE, kube.provider(kubeconfig=text))
    assert kube.steps() == {"cluster": "update"}


def test_another_cluster_replaces_what_was_on_the_old_one_unless_it_is_called_the_same(kube: ClusterProgram) -> None:
    elsewhere = kubeconfig(kube, {}, server=f"https://127.0.0.1:{free_port()}")
    kube.write(SOURCE, kube.provider("cluster_identifier='one'"))
    kube.up()
    kube.write(SOURCE, kube.provider("cluster_identifier='one'", elsewhere))
    assert kube.steps() == {"cluster": "update"}
    kube.write(SOURCE, kube.provider("cluster_identifier='two'", elsewhere))
    assert kube.steps() == {"cluster": "replace", "a": "replace"}
    kube.write(SOURCE, kube.provider(kubeconfig=elsewhere))
    assert kube.steps() == {"cluster": "replace", "a": "replace"}


def test_objects_of_a_cluster_that_is_gone_leave_the_state_when_asked_to(kube: ClusterProgram) -> None:
    kube.write(SOURCE, kube.provider("cluster_identifier='one'"))
    kube.up()
    gone = kubeconfig(kube, {}, server=f"https://127.0.0.1:{free_port()}")
    kube.write(SOURCE, kube.provider("cluster_identifier='one'", gone))
    refreshed = kube.pulumi("refresh", "--yes", "--run-program", ok=False)
    assert "Connection refused" in refreshed
    assert "PULUMI_K8S_DELETE_UNREACHABLE=true" in refreshed
    kube.pulumi("refresh", "--yes", "--run-program", PULUMI_K8S_DELETE_UNREACHABLE="true")
    assert kube.resources("kubernetes:core/v1:ConfigMap") == []
