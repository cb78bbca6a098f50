"""Cluster Autoscaler: it finds this cluster's groups, resizes only those, and removes nodes by our settings."""

import json
from typing import Any

import pytest

from components.eks.autoscaler_spec import AutoscalerSpec
from components.iam_documents import Scope
from mlp.recording import Deploy, RecordingCloud
from platform_services.autoscaler import Autoscaler, AutoscalerArgs, autoscaler_flags
from platform_services.autoscaler_policies import CLUSTER_RULES, NAMESPACE_RULES, autoscaler_policy
from platform_services.versions import CLUSTER_AUTOSCALER
from tests.unit.platform_services.clusters import RANGES, handle

SCOPE = Scope(partition="aws", account_id="123456789012", region="us-east-1")


def autoscaler(deploy: Deploy, version: str = "1.36", minutes: int = 7) -> RecordingCloud:
    def program() -> Autoscaler:
        return Autoscaler(
            "autoscaler",
            AutoscalerArgs(
                spec=AutoscalerSpec(scale_down_minutes=minutes),
                cluster=handle(version=version),
                namespace="cluster-services",
                namespace_ready="cluster-services",
                ranges=RANGES,
            ),
        )

    _, cloud = deploy(program)
    return cloud


def container(cloud: RecordingCloud) -> dict[str, Any]:
    [deployment] = cloud.of_type("kubernetes:apps/v1:Deployment")
    [only] = deployment.inputs["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.parametrize("version", CLUSTER_AUTOSCALER)
def test_its_minor_is_that_of_the_cluster(deploy: Deploy, version: str):
    assert f":v{version}." in container(autoscaler(deploy, version))["image"]


def test_it_finds_the_groups_of_this_cluster_by_the_tags_that_eks_puts_on_them(deploy: Deploy):
    flags = container(autoscaler(deploy))["args"]
    tags = "k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/test-eks"
    assert f"--node-group-auto-discovery=asg:tag={tags}" in flags


def test_idle_nodes_go_when_the_settings_say(deploy: Deploy):
    flags = container(autoscaler(deploy, minutes=3))["args"]
    assert {"--scale-down-unneeded-time=3m", "--scale-down-delay-after-add=3m"} <= set(flags)


def test_it_never_asks_for_more_nodes_than_addresses_were_planned_for(deploy: Deploy):
    flags: list[str] = []

    def program() -> None:
        flags.extend(autoscaler_flags(handle(), "cluster-services", 10))

    deploy(program)
    assert "--max-nodes-total=4" in flags


def test_it_resizes_groups_that_are_tagged_as_this_clusters_and_no_others():
    statements = {each["Sid"]: each for each in json.loads(autoscaler_policy(SCOPE, "test-eks"))["Statement"]}
    changing = {
        sid: each
        for sid, each in statements.items()
        if any(not action.partition(":")[2].startswith(("Describe", "Get")) for action in _listed(each["Action"]))
    }
    assert set(changing) == {"ResizeOwnGroups"}
    assert changing["ResizeOwnGroups"]["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/test-eks": "owned"}
    }
    assert changing["ResizeOwnGroups"]["Action"] == [
        "autoscaling:SetDesiredCapacity",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
    ]


def test_its_pods_get_their_role_before_they_start(deploy: Deploy):
    cloud = autoscaler(deploy)
    [association] = cloud.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    [deployment] = cloud.of_type("kubernetes:apps/v1:Deployment")
    assert association.urn in deployment.depends_on
    account = deployment.inputs["spec"]["template"]["spec"]["serviceAccountName"]
    assert association.inputs["serviceAccount"] == account
    assert association.inputs["namespace"] == deployment.inputs["metadata"]["namespace"]


def test_it_writes_to_nodes_evictions_and_its_own_lease_and_status_only():
    rules: list[Any] = [*CLUSTER_RULES, *NAMESPACE_RULES]
    written = {
        (kind, tuple(rule.get("resource_names", [])))
        for rule in rules
        for kind in rule["resources"]
        if set(rule["verbs"]) & {"delete", "patch", "update"}
    }
    assert written == {
        ("nodes", ()),
        ("pods/status", ()),
        ("events", ()),
        ("leases", ("cluster-autoscaler",)),
        ("configmaps", ("cluster-autoscaler-status",)),
    }


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
