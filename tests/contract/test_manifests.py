"""Every Kubernetes object of every environment: locked down, sized, pinned, and in its stated place."""

import json
import re
from typing import Any

import pytest

from components.naming import slug
from components.pod_identity import NEEDS_ROLE
from platform_services.namespaces import NAMESPACES
from tests.contract.manifests import objects, of_kind, pods
from tests.contract.pod_security import containers, violations
from tests.contract.programs import Program

# Pods that cannot be restricted: (object, what it breaks) -> why.
EXCEPTIONS = {
    ("DaemonSet accelerators/nvidia-device-plugin", "volume device-plugins: hostPath"): (
        "the kubelet takes registrations through a socket in this folder"
    ),
    ("DaemonSet accelerators/nvidia-device-plugin", "nvidia-device-plugin: runAsNonRoot"): (
        "the folder belongs to root, and only root may write into it"
    ),
}
CLUSTER_WIDE = {
    *("Namespace", "PriorityClass", "StorageClass", "ClusterRole", "ClusterRoleBinding"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
}


def broken(environment: Program) -> set[tuple[str, str]]:
    return {(pod.title, what) for pod in pods(environment) for what in violations(pod.spec)}


def test_every_pod_is_restricted_or_has_a_written_reason(environment: Program):
    assert broken(environment) - set(EXCEPTIONS) == set()


def test_every_exception_is_still_needed(environment: Program):
    assert set(EXCEPTIONS) - broken(environment) == set()


def test_what_is_less_than_restricted_lives_where_that_is_let_through(environment: Program):
    levels = {
        each.inputs["metadata"]["name"]: each.inputs["metadata"]["labels"] for each in of_kind(environment, "Namespace")
    }
    for pod in pods(environment):
        enforced = levels[pod.namespace]["pod-security.kubernetes.io/enforce"]
        assert enforced == ("privileged" if list(violations(pod.spec)) else "restricted"), pod.title


def test_every_namespace_enforces_restricted_unless_it_says_why(environment: Program):
    version = f"v{environment.settings.cluster.version}"
    for each in of_kind(environment, "Namespace"):
        labels, name = each.inputs["metadata"]["labels"], each.inputs["metadata"]["name"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted" or NAMESPACES[name].reason
        assert labels["pod-security.kubernetes.io/enforce-version"] == version
        assert labels["pod-security.kubernetes.io/audit"] == "restricted"
        assert labels["pod-security.kubernetes.io/warn"] == labels["pod-security.kubernetes.io/enforce"]


SOUND: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [
        {"name": "a", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    ],
    "volumes": [{"name": "scratch", "emptyDir": {}}],
}


def container(**changes: Any) -> dict[str, Any]:
    return {**SOUND, "containers": [{**SOUND["containers"][0], **changes}]}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({**SOUND, "hostNetwork": True}, "hostNetwork"),
        ({**SOUND, "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volume v: hostPath"),
        ({**SOUND, "securityContext": {"runAsNonRoot": True}}, "a: seccompProfile"),
        ({**SOUND, "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}, "a: runAsNonRoot"),
        (container(securityContext={"capabilities": {"drop": ["ALL"]}}), "a: allowPrivilegeEscalation"),
        (container(securityContext={"allowPrivilegeEscalation": False}), "a: capabilities are not dropped"),
        (
            container(
                securityContext={
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]},
                }
            ),
            "a: capabilities are added",
        ),
        (container(ports=[{"hostPort": 80}]), "a: hostPort"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_planted_violation_is_caught(spec: dict[str, Any], found: str):
    assert list(violations(SOUND)) == []
    assert list(violations(spec)) == [found]


def test_pods_wait_for_their_role_on_aws_exactly_where_they_have_one(environment: Program):
    """A Pod Identity association takes effect after some seconds, and never for pods that were created before it."""
    associated = {
        (each.inputs["namespace"], each.inputs["serviceAccount"])
        for each in environment.resources
        if each.typ == "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    }
    assert associated
    for pod in pods(environment):
        has_role = (pod.namespace, pod.spec.get("serviceAccountName", "default")) in associated
        assert (NEEDS_ROLE.items() <= pod.labels.items()) == has_role, pod.title


def test_no_image_floats(environment: Program):
    images = [each["image"] for pod in pods(environment) for each in containers(pod.spec)]
    assert images
    for image in images:
        # A version, or for what is built here the digest of its sources.
        name, _, digest = image.partition("@")
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9./_-]+:(v?\d+(\.\d+)+|[0-9a-f]{16})", name), image
        assert not digest or re.fullmatch(r"sha256:[0-9a-f]{64}", digest), image


def test_every_container_says_what_it_needs_and_where_its_memory_ends(environment: Program):
    for pod in pods(environment):
        for each in containers(pod.spec):
            requests, limits = each["resources"]["requests"], each["resources"]["limits"]
            assert set(requests) >= {"cpu", "memory"}, pod.title
            assert "memory" in limits, pod.title


def test_no_container_can_write_to_its_own_image(environment: Program):
    for pod in pods(environment):
        for each in containers(pod.spec):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True, pod.title


def test_pods_have_no_token_of_the_kubernetes_api_unless_they_have_rights_there(environment: Program):
    bound = {
        (subject.get("namespace"), subject["name"])
        for kind in ("ClusterRoleBinding", "RoleBinding")
        for each in of_kind(environment, kind)
        for subject in each.inputs["subjects"]
    }
    for pod in pods(environment):
        has_rights = (pod.namespace, pod.spec.get("serviceAccountName")) in bound
        assert pod.spec["automountServiceAccountToken"] is has_rights, pod.title


def test_every_pod_has_a_priority_that_exists(environment: Program):
    known = {each.inputs["metadata"]["name"] for each in of_kind(environment, "PriorityClass")}
    for pod in pods(environment):
        assert pod.spec["priorityClassName"] in {*known, "system-cluster-critical", "system-node-critical"}, pod.title


def test_training_gives_way_to_serving_and_takes_nothing_from_anybody(environment: Program):
    classes = {each.inputs["metadata"]["name"]: each.inputs for each in of_kind(environment, "PriorityClass")}
    assert classes["serving"]["value"] > classes["platform"]["value"] > classes["training"]["value"] > 0
    assert classes["training"]["preemptionPolicy"] == "Never"
    assert {each["globalDefault"] for each in classes.values()} == {False}


def test_there_is_one_default_storage_class_and_it_encrypts_with_our_key(environment: Program):
    [storage] = of_kind(environment, "StorageClass")
    assert storage.inputs["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert storage.inputs["parameters"]["encrypted"] == "true"
    assert storage.inputs["parameters"]["kmsKeyId"].endswith("keys-data")
    assert storage.inputs["volumeBindingMode"] == "WaitForFirstConsumer"


def test_every_namespace_denies_all_traffic_that_no_policy_names(environment: Program):
    denied = {
        each.inputs["metadata"]["namespace"]
        for each in of_kind(environment, "NetworkPolicy")
        if each.inputs["spec"]["podSelector"] == {}
        and set(each.inputs["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not {"ingress", "egress"} & set(each.inputs["spec"])
    }
    assert denied == {each.inputs["metadata"]["name"] for each in of_kind(environment, "Namespace")}
    assert denied >= set(NAMESPACES)


def test_no_rule_grants_everything_or_reads_secrets(environment: Program):
    for each in [*of_kind(environment, "ClusterRole"), *of_kind(environment, "Role")]:
        for rule in each.inputs["rules"]:
            granted = [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert "*" not in granted, each.name
            assert "secrets" not in rule["resources"], each.name
            assert not {"bind", "escalate", "impersonate"} & set(rule["verbs"]), each.name


def test_a_selector_selects_the_pods_of_its_own_template(environment: Program):
    for pod in pods(environment):
        if pod.owner.inputs["kind"] in ("Job", "CronJob"):
            assert "selector" not in pod.owner.inputs["spec"], pod.title  # Kubernetes makes one that nothing else has
            continue
        selected = pod.owner.inputs["spec"]["selector"]["matchLabels"]
        assert selected.items() <= pod.labels.items(), pod.title
    labels = [(pod.namespace, pod.labels) for pod in pods(environment)]
    for each in of_kind(environment, "PodDisruptionBudget"):
        wanted = each.inputs["spec"]["selector"]["matchLabels"].items()
        namespace = each.inputs["metadata"]["namespace"]
        assert any(place == namespace and wanted <= found.items() for place, found in labels), each.name


def test_every_object_is_applied_by_the_one_provider_in_the_namespace_that_it_names(environment: Program):
    [provider] = environment.of_type("pulumi:providers:kubernetes")
    assert provider.inputs["enableServerSideApply"] == "true"
    names = {each.inputs["metadata"]["name"] for each in of_kind(environment, "Namespace")}
    for each in objects(environment):
        assert each.provider.rsplit("::", 1)[0] == provider.urn, each.name
        metadata = each.inputs["metadata"]
        assert metadata["name"] == slug(metadata["name"]), each.name
        if each.inputs["kind"] in CLUSTER_WIDE:
            assert "namespace" not in metadata, each.name
        else:
            assert metadata["namespace"] in names, each.name


def test_whoever_deploys_signs_in_as_himself(environment: Program):
    [provider] = environment.of_type("pulumi:providers:kubernetes")
    config = json.loads(provider.inputs["kubeconfig"])
    [user] = config["users"]
    assert set(user["user"]) == {"exec"}
    command = [user["user"]["exec"]["command"], *user["user"]["exec"]["args"]]
    name = f"ml-platform-{environment.stack}-eks"
    region = environment.settings.region
    assert command == [
        *("aws", "--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"),
    ]


def test_no_object_holds_a_secret(environment: Program):
    assert of_kind(environment, "Secret") == []
    for pod in pods(environment):
        for each in containers(pod.spec):
            assert not [
                variable["name"]
                for variable in each.get("env") or []
                if re.search(r"(?i)password|secret|token|access_key", variable["name"])
                and not variable["value"].startswith("arn:aws:")
            ], pod.title
