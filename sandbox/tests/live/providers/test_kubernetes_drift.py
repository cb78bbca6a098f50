"""Changes by other managers: a refresh reports those of the program's fields and leaves all others alone."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from sandbox.tests.live.providers.clusters import ClusterProgram, make

DEPLOYMENT = Kind("apps", "v1", "Deployment")
WEB = """
k8s.apps.v1.Deployment("web", metadata={"namespace": NAMESPACE, "name": "web", "labels": {"team": "a"}%s},
    opts=options(%s), spec={"replicas": %s, "selector": {"match_labels": {"app": "web"}}, "template": labelled("web",
        container={"resources": {"requests": {"cpu": "0.1", "memory": "1024Mi"}},
            "ports": [{"container_port": 80}], "env": [{"name": "MODE", "value": "test"}]})})
"""


def change(cluster: Cluster, namespace: str, **spec: Any) -> Object:
    """Change the Deployment as a kubectl user would."""
    metadata = {"name": "web", "namespace": namespace, **spec.pop("metadata", {})}
    return make(cluster, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


@pytest.fixture
def deployed(kube: ClusterProgram) -> ClusterProgram:
    kube.write(WEB % ("", "", 1))
    kube.up()
    return kube


def test_a_field_of_the_program_that_somebody_changed_is_drift_and_is_put_back_by_force(
    deployed: ClusterProgram, cluster: Cluster
) -> None:
    change(cluster, deployed.namespace, replicas=2)
    seen = deployed.preview("--refresh", "--diff", ok=False)
    assert "replicas" in seen
    assert '.spec.replicas: conflict with "somebody-else"' in seen
    deployed.write(WEB % (', "annotations": {"pulumi.com/patchForce": "true"}', "", 1))
    assert deployed.steps("--refresh") == {"web": "update"}
    deployed.pulumi("up", "--refresh", "--yes", "--skip-preview")
    live = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    assert live
    assert live["spec"]["replicas"] == 1
    deployed.preview("--refresh", "--expect-no-changes")


def test_a_field_that_was_taken_away_is_drift_and_comes_back(deployed: ClusterProgram, cluster: Cluster) -> None:
    path = cluster.path(DEPLOYMENT, deployed.namespace, "web")
    live = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    assert live
    del live["metadata"]["labels"]
    cluster.connection.request("PUT", path, {"fieldManager": "kubectl-edit"}, live)
    assert deployed.steps("--refresh") == {"web": "update"}
    deployed.pulumi("up", "--refresh", "--yes", "--skip-preview")
    live = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    assert live
    assert live["metadata"]["labels"] == {"team": "a"}


def test_what_others_add_beside_it_is_no_drift(deployed: ClusterProgram, cluster: Cluster) -> None:
    change(
        cluster,
        deployed.namespace,
        metadata={"labels": {"cost-centre": "7"}, "annotations": {"seen": "yes"}},
        template={
            "metadata": {"annotations": {"injected": "yes"}},
            "spec": {"containers": [{"name": "sidecar", "image": "registry.example/sidecar:1"}]},
        },
    )
    deployed.preview("--refresh", "--expect-no-changes")
    deployed.write(WEB % ("", "", 2))
    deployed.up()
    live = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    assert live
    assert {each["name"] for each in live["spec"]["template"]["spec"]["containers"]} == {"main", "sidecar"}
    assert live["metadata"]["labels"]["cost-centre"] == "7"


def test_a_conflict_names_the_field_its_manager_and_both_ways_out(deployed: ClusterProgram, cluster: Cluster) -> None:
    change(cluster, deployed.namespace, replicas=3)
    deployed.write(WEB % ("", "", 2))
    failed = deployed.preview(ok=False)
    assert '.spec.replicas: conflict with "somebody-else"' in failed
    assert "ignore_changes" in failed
    assert "pulumi.com/patchForce" in failed


def test_an_ignored_field_stays_with_whoever_scales_it(deployed: ClusterProgram, cluster: Cluster) -> None:
    change(cluster, deployed.namespace, replicas=3)
    ignored = 'ignore_changes=["spec.replicas"]'
    deployed.write(WEB % (', "annotations": {"note": "changed"}', ignored, 1))
    deployed.up()
    live = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    assert live
    assert (live["spec"]["replicas"], live["metadata"]["annotations"]["note"]) == (3, "changed")


def test_an_object_that_was_deleted_is_made_again(deployed: ClusterProgram, cluster: Cluster) -> None:
    cluster.delete(DEPLOYMENT, deployed.namespace, "web", "Background")
    assert deployed.steps("--refresh") == {"web": "create"}
    deployed.pulumi("up", "--refresh", "--yes", "--skip-preview")
    assert cluster.get(DEPLOYMENT, deployed.namespace, "web")


def test_a_run_that_was_killed_before_it_wrote_its_state_is_taken_up_again(
    deployed: ClusterProgram, cluster: Cluster
) -> None:
    before = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    urn = deployed.only("kubernetes:apps/v1:Deployment")["urn"]
    deployed.pulumi("state", "delete", urn, "--yes", "--force")
    deployed.up()
    after = cluster.get(DEPLOYMENT, deployed.namespace, "web")
    assert before
    assert after
    assert before["metadata"]["uid"] == after["metadata"]["uid"]


def test_a_secret_given_as_text_shows_drift_of_its_value_and_no_value(kube: ClusterProgram, cluster: Cluster) -> None:
    kube.write("""
        k8s.core.v1.Secret("s", metadata={"namespace": NAMESPACE, "name": "s"}, string_data={"a": "planted-value"},
            opts=options())
    """)
    kube.up()
    kube.preview("--refresh", "--expect-no-changes")
    metadata = {"name": "s", "namespace": kube.namespace}
    make(cluster, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"a": "YW5vdGhlci12YWx1ZQ=="}})
    assert kube.steps("--refresh") == {"s": "replace"}
    shown = kube.preview("--refresh", "--diff")
    assert "planted-value" not in shown
    assert "another-value" not in shown


@pytest.mark.parametrize("namespaced", [True, False])
def test_an_object_is_imported_by_its_name(kube: ClusterProgram, cluster: Cluster, namespaced: bool) -> None:
    name = f"{kube.namespace}-theirs"
    metadata = {"name": name, "labels": {"a": "b"}, **({"namespace": kube.namespace} if namespaced else {})}
    kind, api = ("ConfigMap", "v1") if namespaced else ("ClusterRole", "rbac.authorization.k8s.io/v1")
    content = {"data": {"x": "1"}} if namespaced else {"rules": []}
    make(cluster, {"apiVersion": api, "kind": kind, "metadata": metadata, **content})
    id = f"{kube.namespace}/{name}" if namespaced else name
    made = "core.v1.ConfigMap" if namespaced else "rbac.v1.ClusterRole"
    given = 'data={"x": "1"}' if namespaced else "rules=[]"
    kube.write(f'k8s.{made}("mine", metadata={metadata!r}, {given}, opts=options(import_={id!r}))')
    assert "1 imported" in kube.up()
    kube.preview("--expect-no-changes")
