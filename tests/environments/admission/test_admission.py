"""Changes and rejections of pods at admission: as on EKS, and by the program's own rule."""

from typing import Any

import pytest

from components.pod_identity import NEEDS_ROLE
from mlp_sandbox.clusters.control_plane import admission
from mlp_sandbox.clusters.control_plane.api import ApiError
from mlp_sandbox.clusters.control_plane.scratch import ScratchControlPlane
from mlp_sandbox.clusters.images import digests
from platform_services.admission import PODS_WITH_ROLES
from platform_services.admission_rules import role_rules
from sandbox.tests.live.clusters.bare_pods import PODS, pod
from sandbox.tests.live.clusters.real_cluster import wait_for

pytestmark = pytest.mark.timeout(600)
API = "admissionregistration.k8s.io/v1"


def admit(plane: ScratchControlPlane, *accounts: str) -> None:
    for each in admission.manifests("us-east-1", "http://198.18.1.1:4566", databases=True, accounts=accounts):
        plane.api.apply(each)


def test_containers_of_an_associated_account_get_what_pod_identity_needs_and_keep_their_own_environment(
    plane: ScratchControlPlane,
):
    admit(plane, "default/default", "ml-platform/mlflow")
    given = admission.surroundings("http://198.18.1.1:4566", databases=True) | admission.credentials("us-east-1")
    own = {"env": [{"name": "AWS_REGION", "value": "eu-west-1"}, {"name": "A", "value": "b"}]}

    def created(name: str, **spec: Any) -> dict[str, Any] | None:
        """Create the pod anew at each poll: policies take a moment to take effect."""
        plane.api.delete(f"{PODS}/{name}", {"gracePeriodSeconds": 0})
        made = plane.api.create(PODS, pod(name, own, nodeName="nowhere", **spec))
        volumes = [volume["name"] for volume in made["spec"].get("volumes", [])]
        return made if admission.VOLUME in volumes else None

    for spec in (
        {"initContainers": [{"name": "first", "image": "none"}], "volumes": [{"name": "tmp", "emptyDir": {}}]},
        {"automountServiceAccountToken": False},
    ):
        made = wait_for("the policy acts", lambda spec=spec: created("identity", **spec))
        for container in [*made["spec"]["containers"], *made["spec"].get("initContainers", [])]:
            variables = {each["name"]: each["value"] for each in container["env"]}
            region = "eu-west-1" if container["name"] == "main" else "us-east-1"
            wanted = given | {"AWS_REGION": region}
            assert {name: variables[name] for name in wanted} == wanted
            assert admission.MOUNT in [each["mountPath"] for each in container["volumeMounts"]]
        [source] = next(v for v in made["spec"]["volumes"] if v["name"] == admission.VOLUME)["projected"]["sources"]
        assert source["serviceAccountToken"]["audience"] == "pods.eks.amazonaws.com"


def test_containers_of_other_accounts_are_told_where_aws_is_and_nothing_of_credentials(plane: ScratchControlPlane):
    admit(plane, "ml-platform/mlflow")

    def created() -> dict[str, Any] | None:
        """Create the pod anew at each poll: policies take a moment to take effect."""
        plane.api.delete(f"{PODS}/plain", {"gracePeriodSeconds": 0})
        made = plane.api.create(PODS, pod("plain", {}, nodeName="nowhere"))
        given = {each["name"] for each in made["spec"]["containers"][0].get("env", [])}
        return made if given == {"AWS_ENDPOINT_URL", "PGSSLROOTCERT"} else None

    made = wait_for("the policies act", created)
    assert admission.VOLUME not in {volume["name"] for volume in made["spec"].get("volumes", [])}


def test_a_pod_that_needs_its_role_comes_by_itself_once_its_association_counts(plane: ScratchControlPlane):
    """By the program's own rule: without it, such a pod would run and never get credentials."""
    admit(plane)
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    matched = {"resourceRules": [pods], "objectSelector": {"matchLabels": dict(NEEDS_ROLE)}}
    [rule] = role_rules()
    validations = [{"expression": rule.holds, "message": rule.message}]
    bound = {"policyName": PODS_WITH_ROLES, "validationActions": ["Deny"]}
    for kind, plural, spec in (
        ("ValidatingAdmissionPolicy", "policies", {"matchConstraints": matched, "validations": validations}),
        ("ValidatingAdmissionPolicyBinding", "policybindings", bound),
    ):
        made = {"apiVersion": API, "kind": kind, "metadata": {"name": PODS_WITH_ROLES}, "spec": spec}
        plane.api.create(f"/apis/{API}/validatingadmission{plural}", made)
    tried = pod("tried", {}, nodeName="nowhere")
    tried["metadata"]["labels"] = dict(NEEDS_ROLE)

    def refused() -> str | None:
        try:
            plane.api.create(PODS, tried)
        except ApiError as error:
            return str(error)
        plane.api.delete(f"{PODS}/tried", {"gracePeriodSeconds": 0})
        return None

    assert "takes effect within seconds" in wait_for("the rule acts", refused)
    spec = pod("late")["spec"]
    spec["containers"].append({"name": "second", "image": "none"})
    template = {"metadata": {"labels": {"app": "late", **NEEDS_ROLE}}, "spec": spec}
    plane.api.create(
        "/apis/apps/v1/namespaces/default/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "late", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "late"}}, "template": template},
        },
    )
    path = "/apis/apps/v1/namespaces/default/deployments/late"

    def said() -> str | None:
        conditions = plane.api.get(path).get("status", {}).get("conditions", [])
        return next((each["message"] for each in conditions if each["type"] == "ReplicaFailure"), None)

    assert "EKS has not yet given the pod its role" in wait_for("its controller was refused", said)
    admit(plane, "default/default")

    def came() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = plane.api.get(f"{PODS}?labelSelector=app%3Dlate")["items"]
        return found

    [made] = wait_for("the pod comes", came)
    for container in made["spec"]["containers"]:
        assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in {each["name"] for each in container["env"]}
    plane.api.delete(path, {"gracePeriodSeconds": 0})


def test_an_image_of_the_catalogue_that_is_named_by_digest_is_the_one_that_is_made_here(plane: ScratchControlPlane):
    for each in digests.manifests():
        plane.api.apply(each)
    digest = f"sha256:{'a' * 64}"
    scaler = "registry.k8s.io/autoscaling/cluster-autoscaler"
    other = f"ghcr.io/team/app:1@{digest}"
    wanted = [f"{scaler}:v1.35.0@{digest}", f"{scaler}@{digest}", other, "none"]

    def created() -> list[str] | None:
        """Create the pod anew at each poll: policies take a moment to take effect."""
        plane.api.delete(f"{PODS}/pinned", {"gracePeriodSeconds": 0})
        first = {"initContainers": [{"name": "first", "image": wanted[0]}], "nodeName": "nowhere"}
        made = pod("pinned", {"image": wanted[0]}, **first)
        made["spec"]["containers"] += [{"name": f"c{n}", "image": each} for n, each in enumerate(wanted[1:])]
        spec = plane.api.create(PODS, made)["spec"]
        images = [each["image"] for each in (*spec["containers"], *spec["initContainers"])]
        return images if images[0] != wanted[0] else None

    images = wait_for("the policy acts", created)
    assert images == [f"{scaler}:v1.35.0", f"{scaler}:v1.36.0", other, "none", f"{scaler}:v1.35.0"]


def test_pods_that_pod_security_restricts_are_still_admitted_with_it(plane: ScratchControlPlane):
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    plane.api.create("/api/v1/namespaces", {"metadata": {"name": "strict", "labels": labels}})
    path = "/api/v1/namespaces/strict/pods"
    wait_for("its account", lambda: plane.api.find("/api/v1/namespaces/strict/serviceaccounts/default"))
    made = pod("bad")
    made["metadata"]["namespace"] = "strict"
    with pytest.raises(ApiError, match="violates PodSecurity"):
        plane.api.create(path, made)
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    good = pod(
        "good",
        {"securityContext": security},
        securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    )
    good["metadata"]["namespace"] = "strict"
    plane.api.create(path, good)
