"""The API server's own checks accept every object that the program applied."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.errors import ApiError
from mlp_sandbox.providers.kubernetes.kinds import Kind
from mlp_sandbox.providers.kubernetes.kubeconfig import load, target
from platform_services.namespaces import NAMESPACES
from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.manifests import pod_spec

RESTRICTED = sorted(name for name, rule in NAMESPACES.items() if rule.level == "restricted")
VIOLATIONS: dict[str, dict[str, Any]] = {
    "restricted volume types": {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]},
    "host namespaces": {"hostNetwork": True},
    "privileged": {"container_fields": {"securityContext": {"privileged": True}}},
    "runAsNonRoot != true": {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
    "unrestricted capabilities": {"container_fields": {"securityContext": {"allowPrivilegeEscalation": False}}},
    "seccompProfile": {"securityContext": {"runAsNonRoot": True, "runAsUser": 1000}},
}


@pytest.fixture(scope="module")
def cluster(deployed: Deployed) -> Cluster:
    return Cluster(target(*load(str(deployed.folder.etc / "admin.kubeconfig"))))


@pytest.fixture(scope="module")
def applied(deployed: Deployed) -> dict[str, dict[str, Any]]:
    """Return the inputs of the program's objects, by logical name."""
    found: dict[str, dict[str, Any]] = {}
    for each in deployed.copy.box.export(deployed.copy.stack, deployed.copy.folder):
        if each["type"].startswith("kubernetes:"):
            found[each["urn"].rsplit("::", 1)[1]] = each["inputs"]
    assert len(found) > 20
    return found


def try_out(cluster: Cluster, manifest: dict[str, Any]) -> list[str]:
    """Run a dry run with strict field validation and admission; returns the warnings."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    return cluster.apply(Kind(group, version, manifest["kind"]), manifest, "test", force=True, dry_run=True).warnings


def pod(namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tried", "namespace": namespace}, "spec": spec}


def test_every_applied_manifest_passes_strict_validation_without_a_warning(
    cluster: Cluster, applied: dict[str, dict[str, Any]]
) -> None:
    warnings = {name: try_out(cluster, manifest) for name, manifest in applied.items()}
    assert {name: found for name, found in warnings.items() if found} == {}


def test_a_planted_mistake_is_found_by_that_validation(cluster: Cluster, applied: dict[str, dict[str, Any]]) -> None:
    manifest = applied["platform-autoscaler-deployment"]
    with pytest.raises(ApiError, match="replicass"):
        try_out(cluster, {**manifest, "spec": {**manifest["spec"], "replicass": 1}})


def test_every_pod_of_the_program_passes_the_pod_security_of_its_namespace(
    cluster: Cluster, applied: dict[str, dict[str, Any]]
) -> None:
    templates = {
        name: (manifest["metadata"]["namespace"], manifest["spec"]["template"]["spec"])
        for name, manifest in applied.items()
        if "template" in manifest.get("spec", {})
    }
    assert len(templates) >= 2
    for namespace, spec in templates.values():
        assert try_out(cluster, pod(namespace, spec)) == []


@pytest.mark.parametrize("violation", VIOLATIONS)
@pytest.mark.parametrize("namespace", RESTRICTED)
def test_a_pod_that_is_less_than_restricted_is_refused(cluster: Cluster, namespace: str, violation: str) -> None:
    with pytest.raises(ApiError, match=f'violates PodSecurity "restricted:v1.36": .*{violation}') as refused:
        try_out(cluster, pod(namespace, pod_spec("print(1)", **VIOLATIONS[violation])))
    assert refused.value.status == 403


@pytest.mark.parametrize("namespace", RESTRICTED)
def test_a_restricted_pod_is_let_in(cluster: Cluster, namespace: str) -> None:
    assert try_out(cluster, pod(namespace, pod_spec("print(1)"))) == []


def test_exceptions_are_those_that_are_listed_and_no_others(deployed: Deployed) -> None:
    """Namespaces of Kubernetes and EKS themselves have no label: they are not ours to change."""
    label = "pod-security.kubernetes.io/enforce"
    found = {each["metadata"]["name"]: each["metadata"]["labels"] for each in deployed.list("/api/v1/namespaces")}
    levels = {name: found[name][label] for name in NAMESPACES}
    assert levels == {name: rule.level for name, rule in NAMESPACES.items()}
    assert [name for name, level in levels.items() if level != "restricted"] == ["accelerators"]
    unlabelled = {name for name, labels in found.items() if label not in labels}
    assert unlabelled == {"default", "kube-node-lease", "kube-public", "kube-system"}
