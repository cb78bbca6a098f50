"""Destroying goes from the workloads down to the network: the engine deletes the dependents of a resource first."""

from collections.abc import Callable

import pytest

from mlp.recording import Recorded
from tests.contract.programs import Program

GROUP, ADDON, CLUSTER = "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon", "aws:eks/cluster:Cluster"
ENTRIES = ("aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
JOBS = ("kubernetes:batch/v1:CronJob", "kubernetes:batch/v1:Job")
BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")

Chosen = Callable[[Recorded], bool]


def dependencies(environment: Program) -> dict[str, set[str]]:
    """Return the dependencies of each resource: by properties, explicit order and its provider."""
    by_urn = {each.urn: each for each in environment.resources}
    found: dict[str, set[str]] = {}

    def of(urn: str) -> set[str]:
        if urn not in found:
            found[urn] = set()
            each = by_urn[urn]
            direct = {*each.depends_on, *([each.provider.rsplit("::", 1)[0]] if each.provider else [])} & set(by_urn)
            found[urn] = direct.union(*(of(other) for other in direct))
        return found[urn]

    for urn in by_urn:
        of(urn)
    return found


def kubernetes(each: Recorded) -> bool:
    return each.typ.startswith("kubernetes:")


def typed(*types: str) -> Chosen:
    return lambda each: each.typ in types


def addon(*names: str) -> Chosen:
    return lambda each: each.typ == ADDON and each.inputs["addonName"] in names


def network(each: Recorded) -> bool:
    """Return whether the resource belongs to the network.

    Routes, gateways and endpoints count: nodes that cannot reach the API are never drained.
    """
    return each.custom and each.name.startswith("network-")


ORDER: dict[str, tuple[Chosen, Chosen]] = {
    "objects before nodes": (kubernetes, typed(GROUP)),
    "objects before add-ons": (kubernetes, typed(ADDON)),
    "objects before the permission to delete them": (kubernetes, typed(*ENTRIES)),
    "add-ons with pods before nodes": (
        addon("coredns", "aws-ebs-csi-driver", "metrics-server"),
        lambda each: each.typ == GROUP and each.inputs["labels"]["pool"] == "general",
    ),
    "nodes before the network's add-ons": (typed(GROUP), addon(*BEFORE_NODES)),
    "nodes before their permissions": (
        typed(GROUP),
        lambda each: each.name.startswith("node-role-") and "RolePolicy" in each.typ,
    ),
    "add-ons, nodes and access before the cluster": (typed(ADDON, GROUP, *ENTRIES), typed(CLUSTER)),
    "the cluster before its permissions": (
        typed(CLUSTER),
        lambda each: each.name.startswith("cluster-role-") and "RolePolicy" in each.typ,
    ),
    "the cluster before its log group, which it would make again": (
        typed(CLUSTER),
        lambda each: each.name == "cluster-logs",
    ),
    "the cluster before the network": (typed(CLUSTER), network),
}


@pytest.mark.parametrize(("first", "then"), ORDER.values(), ids=ORDER.keys())
def test_what_is_deleted_first_depends_on_what_is_deleted_then(environment: Program, first: Chosen, then: Chosen):
    known = dependencies(environment)
    sooner = [each for each in environment.resources if first(each)]
    later = [each for each in environment.resources if then(each)]
    assert sooner
    assert later
    missing = [(a.name, b.name) for a in sooner for b in later if b.urn not in known[a.urn]]
    assert missing == []


def test_the_provider_of_the_objects_is_made_of_the_cluster_alone(environment: Program):
    """With any other dependency, each change of it would show every object as replaced."""
    [provider] = environment.of_type("pulumi:providers:kubernetes")
    [cluster] = environment.of_type(CLUSTER)
    assert cluster.inputs["name"] in provider.inputs["kubeconfig"]
    assert set(provider.inputs) == {"kubeconfig", "enableServerSideApply"}


def test_what_makes_jobs_is_deleted_before_its_namespace(environment: Program):
    """A namespace with unfinished Jobs may never disappear. Deletion of a CronJob waits for its Jobs."""
    known = dependencies(environment)
    spaces = {each.inputs["metadata"]["name"]: each.urn for each in environment.of_type("kubernetes:core/v1:Namespace")}
    found = [each for each in environment.resources if each.typ in JOBS]
    assert {each.typ for each in found} == set(JOBS)
    late = [each.name for each in found if spaces[each.inputs["metadata"]["namespace"]] not in known[each.urn]]
    assert late == []


def test_no_object_is_deleted_without_what_it_owns(environment: Program):
    """By default the provider waits for dependents; an annotation would change that."""
    ways = [
        each.name
        for each in environment.resources
        if "pulumi.com/deletionPropagationPolicy" in str(each.inputs.get("metadata", {}))
    ]
    assert ways == []
