"""Pods and objects that teams may not create in their own namespaces, tried with the credentials of their role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.accelerators import NEURON, NVIDIA
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.conftest import AsRole
from tests.environments.real_nodes.eks.manifests import GPU_TOLERATION, job, pod_spec

PROJECT = "data-science-tumour-diagnosis"
EVERYTHING = {"operator": "Exists"}


@pytest.fixture(scope="module")
def team_namespace(deployed: Deployed) -> Iterator[str]:
    with deployed.namespace("data-science-admission") as name:
        yield name


def pod(namespace: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "tried", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec("print(1)", **spec)}


def tried(deployed: Deployed, role: dict[str, str], folder: Path, manifest: dict[str, Any]) -> str:
    """Return the API server's answer to a role's dry-run creation."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest))
    done = deployed.run_as(role, "kubectl", "create", "--dry-run=server", "-f", str(path), ok=False)
    return done.stderr if done.returncode else "created"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"priorityClassName": "system-node-critical"}, "priorityClassName: teams' pods are of serving or training"),
        ({"priorityClassName": "platform"}, "priorityClassName: teams' pods are of serving or training"),
        ({"nodeName": "ip-10-10-0-4.ec2.internal"}, "nodeName: leave it out, the scheduler chooses the node"),
        ({"tolerations": [EVERYTHING]}, "tolerations: name the key of the taint"),
        ({"tolerations": [GPU_TOLERATION]}, "add resources.limits['nvidia.com/gpu']"),
        (
            {"tolerations": [GPU_TOLERATION], "container_fields": {"limits": {NVIDIA.resource: "0"}}},
            "add resources.limits['nvidia.com/gpu']",
        ),
        (
            {"tolerations": [{**GPU_TOLERATION, "key": NEURON.resource}]},
            "add resources.limits['aws.amazon.com/neuron']",
        ),
    ],
    ids=["system priority", "platform priority", "node", "every taint", "GPU node", "GPU node, no GPU", "Neuron node"],
)
def test_a_team_is_told_what_its_pods_may_not(
    deployed: Deployed, as_role: AsRole, team_namespace: str, tmp_path: Path, spec: dict[str, Any], said: str
) -> None:
    answer = tried(deployed, as_role("team-data-science"), tmp_path, pod(team_namespace, **spec))
    assert "ValidatingAdmissionPolicy 'pods-of-teams'" in answer
    assert said in answer


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"priorityClassName": "training"},
        {"priorityClassName": "serving"},
        {"tolerations": [GPU_TOLERATION], "container_fields": {"limits": {NVIDIA.resource: "1"}}},
        {"tolerations": [{"key": "batch", "operator": "Exists"}], "nodeSelector": {"pool": "general"}},
    ],
    ids=["plain", "training", "serving", "GPU", "another taint"],
)
def test_a_team_runs_what_it_may(
    deployed: Deployed, as_role: AsRole, team_namespace: str, tmp_path: Path, spec: dict[str, Any]
) -> None:
    assert tried(deployed, as_role("team-data-science"), tmp_path, pod(team_namespace, **spec)) == "created"


@pytest.mark.parametrize(
    ("toleration", "said"),
    [(GPU_TOLERATION, "add resources.limits['nvidia.com/gpu']"), (EVERYTHING, "tolerations: name the key")],
    ids=["GPU node", "every taint"],
)
def test_a_pod_that_waits_is_not_given_later_what_it_may_not_have(
    deployed: Deployed, as_role: AsRole, team_namespace: str, toleration: dict[str, str], said: str
) -> None:
    manifest = pod(team_namespace, nodeSelector={"nowhere": "true"})
    add = [{"op": "add", "path": "/spec/tolerations/-", "value": toleration}]
    patch = ("kubectl", "patch", "pod", "tried", "-n", team_namespace, "--type=json", "-p", json.dumps(add))
    label = ("kubectl", "label", "pod", "tried", "-n", team_namespace, "looked=at")
    with deployed.created(f"/api/v1/namespaces/{team_namespace}/pods", manifest):
        done = deployed.run_as(as_role("team-data-science"), *patch, ok=False)
        assert said in done.stderr
        assert "labeled" in deployed.run_as(as_role("team-data-science"), *label).stdout


def test_a_namespace_without_pod_security_has_no_pods(deployed: Deployed, as_role: AsRole, tmp_path: Path) -> None:
    with deployed.namespace("data-science-open", level="privileged") as name:
        answer = tried(deployed, as_role("team-data-science"), tmp_path, pod(name))
    assert "namespace: it has no pods before an administrator gives it the label" in answer


def test_pods_that_a_controller_makes_for_a_team_are_held_to_the_same(deployed: Deployed, team_namespace: str) -> None:
    made = job("critical", team_namespace, "print(1)", priorityClassName="system-node-critical")
    path = f"/apis/batch/v1/namespaces/{team_namespace}/jobs"
    with deployed.created(path, made):
        events = f"/api/v1/namespaces/{team_namespace}/events"
        said = eventually(
            lambda: [each["message"] for each in deployed.list(events) if each["reason"] == "FailedCreate"],
            "the Job's pod is refused",
        )
    assert "priorityClassName: teams' pods are of serving or training" in said[0]
    assert deployed.pods(team_namespace, "job-name=critical") == []


def open_to_all(namespace: str) -> dict[str, Any]:
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
    metadata = {"name": "open", "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("role", ["team-data-science", "platform"])
def test_only_the_administrator_touches_network_policies_of_a_project(
    deployed: Deployed, as_role: AsRole, tmp_path: Path, role: str
) -> None:
    refusal = "network policies of teams' namespaces are the platform's"
    delete = ("kubectl", "delete", "networkpolicy", "--all", "--dry-run=server", "-n", PROJECT)
    assert refusal in tried(deployed, as_role(role), tmp_path, open_to_all(PROJECT))
    assert refusal in deployed.run_as(as_role(role), *delete, ok=False).stderr
    assert tried(deployed, as_role("admin"), tmp_path, open_to_all(PROJECT)) == "created"
    assert "deleted" in deployed.run_as(as_role("admin"), *delete).stdout


def test_a_namespace_is_deleted_with_its_network_policies(deployed: Deployed) -> None:
    """The namespace controller deletes them and belongs to no team."""
    with deployed.namespace("data-science-gone") as name:
        deployed.api.create(f"/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies", open_to_all(name))
    eventually(lambda: deployed.api.find(f"/api/v1/namespaces/{name}") is None, "the namespace is gone", 90)
