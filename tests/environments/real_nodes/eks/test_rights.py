"""RBAC for each class of namespaces: the whole table, queried at the API server by each role itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlp_sandbox.testing.github import MAIN, sign_in
from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.conftest import AsRole

# A namespace of each class, but for that of a team that is not there: it stands for everybody else's.
NAMESPACES = {
    "system": "kube-system",
    "services": "cluster-services",
    "platform": "ml-platform",
    "privileged": "accelerators",
    "project": "data-science-tumour-diagnosis",
    "others": "vision",
}
# What each question asks: verb, group, resource, subresource.
QUESTIONS: dict[str, tuple[str, str, str, str]] = {
    "read pods": ("list", "", "pods", ""),
    "read logs": ("get", "", "pods", "log"),
    "forward ports": ("create", "", "pods", "portforward"),
    "run pods": ("create", "", "pods", ""),
    "enter pods": ("create", "", "pods", "exec"),
    "read secrets": ("get", "", "secrets", ""),
    "act as service accounts": ("impersonate", "", "serviceaccounts", ""),
    "remove network policies": ("delete", "networking.k8s.io", "networkpolicies", ""),
    "change quotas": ("update", "", "resourcequotas", ""),
    "bind roles": ("create", "rbac.authorization.k8s.io", "rolebindings", ""),
}
LOOK = {"read pods", "read logs"}
# Network policies are refused to them all the same, by admission: see test_admission.
WORK = LOOK | {
    *("run pods", "enter pods", "forward ports"),
    *("read secrets", "act as service accounts", "remove network policies"),
}
ADMINISTER = WORK | {"bind roles"}
# Class of namespace -> what the role may. Nothing where it is not listed.
TABLE: dict[str, dict[str, set[str]]] = {
    "team-data-science": {"project": WORK, "platform": {"read pods", "forward ports"}},
    "platform": {**dict.fromkeys(NAMESPACES, LOOK), **dict.fromkeys(("platform", "project"), ADMINISTER)},
    "admin": {kind: set(QUESTIONS) for kind in NAMESPACES},
    "ci-deploy": {kind: set(QUESTIONS) for kind in NAMESPACES},
    "ci-preview": dict.fromkeys(NAMESPACES, LOOK),
}
ADMINISTRATORS = ("admin", "ci-deploy")
CLUSTER: dict[str, tuple[str, str, str, str]] = {
    "act as users": ("impersonate", "", "users", ""),
    "act as groups": ("impersonate", "", "groups", ""),
    "bind cluster roles": ("create", "rbac.authorization.k8s.io", "clusterrolebindings", ""),
    "change namespaces": ("patch", "", "namespaces", ""),
    "change admission": ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicies", ""),
    "change nodes": ("patch", "", "nodes", ""),
    "remove nodes": ("delete", "", "nodes", ""),
    "enter nodes": ("create", "", "nodes", "proxy"),
    "read all secrets": ("list", "", "secrets", ""),
}


def review(question: tuple[str, str, str, str], namespace: str = "") -> dict[str, Any]:
    verb, group, resource, subresource = question
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": namespace}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in asked.items() if value}},
    }


def credentials(deployed: Deployed, as_role: AsRole, role: str) -> dict[str, str]:
    if not role.startswith("ci-"):
        return as_role(role)
    return sign_in(deployed.box, str(deployed.outputs[f"{role.removeprefix('ci-')}_role_arn"]), MAIN)


def answers(deployed: Deployed, principal: dict[str, str], reviews: list[dict[str, Any]], folder: Any) -> list[bool]:
    """Return the answers to all reviews in one call: `kubectl auth can-i` asks one and takes a second."""
    path = folder / "reviews.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews}))
    done = deployed.run_as(principal, "kubectl", "create", "-f", str(path), "-o", "json")
    found, decoder, position = list[Any](), json.JSONDecoder(), 0
    while position < len(text := done.stdout.strip()):
        each, position = decoder.raw_decode(text, position)
        found += each["items"] if each["kind"] == "List" else [each]
        position += len(text[position:]) - len(text[position:].lstrip())
    return [bool(each["status"]["allowed"]) for each in found]


@pytest.mark.parametrize("role", TABLE)
def test_each_role_may_in_each_class_of_namespaces_what_the_table_says(
    deployed: Deployed, as_role: AsRole, role: str, tmp_path: Any
) -> None:
    asked = [(kind, question) for kind in NAMESPACES for question in QUESTIONS]
    reviews = [review(QUESTIONS[question], NAMESPACES[kind]) for kind, question in asked]
    allowed = answers(deployed, credentials(deployed, as_role, role), reviews, tmp_path)
    found: dict[str, set[str]] = {kind: set() for kind in NAMESPACES}
    for (kind, question), yes in zip(asked, allowed, strict=True):
        found[kind] |= {question} if yes else set()
    assert found == {kind: TABLE[role].get(kind, set()) for kind in NAMESPACES}


@pytest.mark.parametrize("role", TABLE)
def test_only_the_administrator_changes_what_belongs_to_the_cluster(
    deployed: Deployed, as_role: AsRole, role: str, tmp_path: Any
) -> None:
    allowed = answers(
        deployed, credentials(deployed, as_role, role), [review(question) for question in CLUSTER.values()], tmp_path
    )
    may = {question for question, yes in zip(CLUSTER, allowed, strict=True) if yes}
    assert may == (set(CLUSTER) if role in ADMINISTRATORS else set())
