"""The cluster's basics as a whole, and invariants of their tables."""

from dataclasses import replace

import pulumi
import pytest

from components.eks.access import READERS, TEAMS
from components.eks.autoscaler_spec import AutoscalerSpec
from components.eks.versions import MINORS
from mlp.recording import Deploy, RecordingCloud
from platform_services.mlflow.spec import MlflowSpec
from platform_services.namespaces import ML_PLATFORM, NAMESPACES, Namespace, pod_security_labels
from platform_services.platform import Platform
from platform_services.readers import READABLE
from platform_services.versions import CLUSTER_AUTOSCALER
from stacks.providers import kubernetes_provider
from tests.unit.platform_services.clusters import RANGES, handle, platform_args, pool


def platform(deploy: Deploy, *, exists: bool = True) -> tuple[Platform, RecordingCloud]:
    def program() -> Platform:
        cluster = handle(pool("l4", "g6.xlarge", "nvidia-l4"), exists=exists)
        kubernetes = kubernetes_provider(cluster)
        return Platform("platform", platform_args(cluster), pulumi.ResourceOptions(providers=[kubernetes]))

    return deploy(program, preview=not exists)


def test_sections_of_the_stack_file_reach_their_services(deploy: Deploy):
    def program() -> None:
        cluster = handle()
        args = replace(
            platform_args(cluster),
            autoscaler=AutoscalerSpec(scale_down_minutes=3),
            mlflow=MlflowSpec(replicas=3, workers=2),
        )
        Platform("platform", args, pulumi.ResourceOptions(providers=[kubernetes_provider(cluster)]))

    _, cloud = deploy(program)
    server = cloud.named("platform-mlflow-deployment").inputs["spec"]
    [container] = server["template"]["spec"]["containers"]
    assert server["replicas"] == 3
    assert {"name": "PLATFORM_WORKERS", "value": "2"} in container["env"]
    autoscaler = cloud.named("platform-autoscaler-deployment").inputs["spec"]["template"]["spec"]
    assert "--scale-down-unneeded-time=3m" in autoscaler["containers"][0]["args"]


def test_workloads_learn_the_names_that_they_refer_to(deploy: Deploy):
    made, cloud = platform(deploy)
    assert set(made.handle.namespaces) == set(NAMESPACES)
    assert set(made.handle.priority_classes) == {"serving", "platform", "training"}
    assert cloud.named("platform-classes-encrypted-gp3").inputs["metadata"]["name"] == "encrypted-gp3"


def test_mlflows_pods_and_nobody_else_reach_the_database_at_its_port(deploy: Deploy):
    _, cloud = platform(deploy)
    rules = [each.inputs for each in cloud.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
    [rule] = [each for each in rules if each["securityGroupId"] == "sg-database"]
    assert rule["referencedSecurityGroupId"] == "platform-mlflow-pods-group-id"
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 5432, 5432)
    assert not {"cidrIpv4", "cidrIpv6", "prefixListId"} & set(rule)


def test_every_pod_of_mlflow_is_in_a_security_group_of_its_own(deploy: Deploy):
    _, cloud = platform(deploy)
    [policy] = cloud.of_type("kubernetes:vpcresources.k8s.aws/v1beta1:SecurityGroupPolicy")
    assert policy.inputs["metadata"]["namespace"] == ML_PLATFORM
    assert policy.inputs["spec"]["securityGroups"] == {"groupIds": ["platform-mlflow-pods-group-id"]}
    selected = policy.inputs["spec"]["podSelector"]["matchLabels"]
    found = 0
    for each in cloud.resources:
        spec = each.inputs.get("spec") or {}
        template = spec.get("template") or ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template")
        if not template or each.inputs["metadata"]["namespace"] != ML_PLATFORM:
            continue
        found += 1
        assert selected.items() <= template["metadata"]["labels"].items(), each.name
        [container] = template["spec"]["containers"]
        # EKS looks at the first container alone.
        assert container["resources"]["limits"]["vpc.amazonaws.com/pod-eni"] == "1", each.name
    assert found >= 3


def test_what_mlflows_pods_may_be_asked_and_ask_is_named_by_port(deploy: Deploy):
    _, cloud = platform(deploy)

    def rules(kind: str) -> set[tuple[str, str, int]]:
        found = [each.inputs for each in cloud.of_type(f"aws:vpc/securityGroup{kind}Rule:SecurityGroup{kind}Rule")]
        mine = [each for each in found if each["securityGroupId"] == "platform-mlflow-pods-group-id"]
        assert all(each["fromPort"] == each["toPort"] for each in mine)
        other = [each.get("referencedSecurityGroupId") or each["cidrIpv4"] for each in mine]
        return {(name, each["ipProtocol"], each["fromPort"]) for name, each in zip(other, mine, strict=True)}

    own = "platform-mlflow-pods-group-id"
    assert rules("Ingress") == {("sg-cluster", "tcp", 5000), (own, "tcp", 5000)}
    assert rules("Egress") == {
        *((name, "tcp", port) for name, port in ((own, 5000), ("sg-database", 5432), (RANGES.vpc, 443))),
        *(("sg-cluster", protocol, 53) for protocol in ("tcp", "udp")),
    }


def test_a_first_preview_knows_no_cluster_and_works_all_the_same(deploy: Deploy):
    _, before = platform(deploy, exists=False)
    [provider] = before.of_type("pulumi:providers:kubernetes")
    assert pulumi.contains_unknowns(provider.inputs["kubeconfig"])
    _, after = platform(deploy)
    assert {each.name for each in before.resources} == {each.name for each in after.resources}


def test_a_namespace_that_enforces_less_says_why():
    with pytest.raises(ValueError, match="level 'privileged': give the `reason`, or enforce 'restricted'"):
        Namespace(level="privileged")


def test_what_is_let_through_is_recorded_without_a_warning_at_every_deployment():
    labels = pod_security_labels("privileged", "1.36")
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    assert labels["pod-security.kubernetes.io/audit"] == "restricted"
    assert labels["pod-security.kubernetes.io/warn"] == "privileged"


def test_readers_of_the_cluster_read_no_secrets_and_change_nothing(deploy: Deploy):
    _, cloud = platform(deploy)
    role = cloud.named("platform-readers-role").inputs
    assert role["metadata"]["name"] == READERS
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert not {"secrets", "configmaps", "*"} & {kind for _, kinds in READABLE for kind in kinds}


def test_teams_forward_ports_to_mlflow_and_run_nothing_there(deploy: Deploy):
    _, cloud = platform(deploy)
    role, binding = (cloud.named(f"platform-mlflow-people-{part}").inputs for part in ("role", "binding"))
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == ML_PLATFORM
    assert [subject["name"] for subject in binding["subjects"]] == [TEAMS]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    allowed = {(verb, kind) for rule in role["rules"] for verb in rule["verbs"] for kind in rule["resources"]}
    assert allowed == {("get", "pods"), ("list", "pods"), ("create", "pods/portforward"), ("get", "pods/portforward")}


def test_every_minor_of_kubernetes_has_its_autoscaler():
    assert tuple(CLUSTER_AUTOSCALER) == MINORS
