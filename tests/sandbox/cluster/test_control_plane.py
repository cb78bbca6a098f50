"""The control plane on its own: the real API server, controllers and scheduler, and KWOK, as anybody on the machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.pod_identity import NEEDS_ROLE
from platform_services.admission import PODS_WITH_ROLES
from platform_services.admission_rules import role_rules
from sandbox.cluster import admission
from sandbox.cluster.api import ApiError
from sandbox.cluster.images import digests
from sandbox.cluster.nodes import wanted_nodes
from sandbox.cluster.scratch import ScratchControlPlane, scratch_control_plane
from sandbox.cluster.simulated_nodes import manifest
from sandbox.toolchain import ensure_kubernetes
from tests.sandbox.cluster.real_cluster import wait_for
from tests.unit.sandbox.cluster.clusters import GPU_TAINT, cluster, group, instance

pytestmark = pytest.mark.timeout(600)
PODS = "/api/v1/namespaces/default/pods"
API = "admissionregistration.k8s.io/v1"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScratchControlPlane]:
    tools = ensure_kubernetes(lambda _line: None)
    folder = tmp_path_factory.mktemp("plane")
    with scratch_control_plane(folder, tools, controllers=True, simulated_nodes=True) as made:
        wait_for("the default account", lambda: made.api.find("/api/v1/namespaces/default/serviceaccounts/default"))
        yield made


@pytest.fixture(scope="module")
def nodes(plane: ScratchControlPlane) -> list[str]:
    made = cluster(
        group("general", instance(0)),
        group("h100", instance(1, "p5.48xlarge"), taints=(GPU_TAINT,), labels={"accelerator": "nvidia-h100"}),
    )
    specs = wanted_nodes(made, real_possible=False).specs
    for spec in specs:
        plane.api.create("/api/v1/nodes", manifest(spec))
    wait_for("nodes are Ready", lambda: all(_ready(plane, spec.name) for spec in specs))
    return [spec.name for spec in specs]


def _ready(plane: ScratchControlPlane, name: str) -> bool:
    found = plane.api.get(f"/api/v1/nodes/{name}")
    conditions = found["status"].get("conditions") or []
    untainted = not any("not-ready" in taint["key"] for taint in found["spec"].get("taints") or [])
    return untainted and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def pod(name: str, container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "none", **(container or {})}]
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def gpus(count: int) -> dict[str, Any]:
    return {"resources": {"limits": {"nvidia.com/gpu": str(count)}}}


TOLERATES = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}


def placed(plane: ScratchControlPlane, name: str) -> Callable[[], dict[str, Any] | None]:
    def check() -> dict[str, Any] | None:
        found = plane.api.get(f"{PODS}/{name}")
        return found if found["status"].get("phase") == "Running" else None

    return check


def test_a_gpu_pod_with_a_toleration_gets_the_gpu_node_and_is_said_to_run_without_running(
    plane: ScratchControlPlane, nodes: list[str]
):
    plane.api.create(PODS, pod("trains", gpus(8), **TOLERATES))
    found = wait_for("the pod runs", placed(plane, "trains"))
    assert found["spec"]["nodeName"] == nodes[1]
    assert found["status"]["message"].startswith("simulated: nothing runs")
    assert found["status"]["podIP"].startswith("100.127.")


def test_a_gpu_pod_without_a_toleration_stays_pending_with_the_schedulers_reason(
    plane: ScratchControlPlane, nodes: list[str]
):
    plane.api.create(PODS, pod("lost", gpus(1)))

    def reason() -> str | None:
        conditions = plane.api.get(f"{PODS}/lost")["status"].get("conditions") or []
        return next((each.get("message") for each in conditions if each["type"] == "PodScheduled"), None)

    assert "untolerated taint" in wait_for("the scheduler's word", reason)


def test_a_job_on_a_simulated_node_comes_to_its_end(plane: ScratchControlPlane, nodes: list[str]):
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}}
    metadata = {"name": "job", "namespace": "default"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
    plane.api.create("/apis/batch/v1/namespaces/default/jobs", job)
    path = "/apis/batch/v1/namespaces/default/jobs/job"
    wait_for("the Job is complete", lambda: plane.api.get(path)["status"].get("succeeded") == 1)


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
        """Policies take a moment until they act."""
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
        """Policies take a moment until they act."""
        plane.api.delete(f"{PODS}/plain", {"gracePeriodSeconds": 0})
        made = plane.api.create(PODS, pod("plain", {}, nodeName="nowhere"))
        given = {each["name"] for each in made["spec"]["containers"][0].get("env", [])}
        return made if given == {"AWS_ENDPOINT_URL", "PGSSLROOTCERT"} else None

    made = wait_for("the policies act", created)
    assert admission.VOLUME not in {volume["name"] for volume in made["spec"].get("volumes", [])}


def test_a_pod_that_needs_its_role_comes_by_itself_once_its_association_counts(plane: ScratchControlPlane):
    """The program's own rule: before, such a pod would run and never get any credentials."""
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
        """Policies take a moment until they act."""
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


def test_secrets_are_not_to_be_read_in_etcds_files(plane: ScratchControlPlane):
    metadata = {"name": "planted", "namespace": "default"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": "planted-value-4711"}}
    open_text = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": "open-value-4711"}}
    plane.api.create("/api/v1/namespaces/default/secrets", secret)
    plane.api.create("/api/v1/namespaces/default/configmaps", open_text)
    files = [path for path in (plane.kubeconfig.parent.parent / "etcd").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert b"open-value-4711" in content  # the search finds what is there
    assert b"planted-value-4711" not in content


def test_without_a_certificate_only_the_health_is_told(plane: ScratchControlPlane):
    def status(path: str) -> int:
        command = ["curl", "--silent", "--insecure", "--output", os.devnull, "--write-out", "%{http_code}"]
        return int(subprocess.check_output([*command, f"{plane.server}{path}"], text=True))

    assert (status("/readyz"), status("/version"), status("/api/v1/secrets")) == (200, 401, 401)


def test_a_field_that_does_not_exist_is_refused_by_name(plane: ScratchControlPlane):
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}, "dta": {}}
    with pytest.raises(ApiError, match="dta"):
        plane.api.apply(wrong)


def test_killed_with_its_caller_the_processes_end(tmp_path: Path):
    tools = ensure_kubernetes(lambda _line: None)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from sandbox.cluster.scratch import scratch_control_plane\n"
        "from sandbox.cluster.exchange import ProgramPaths\n"
        f"tools = ProgramPaths(version='x', paths={ {name: str(path) for name, path in tools.programs.items()}!r})\n"
        f"with scratch_control_plane(Path({str(tmp_path)!r}), tools):\n    print('up', flush=True); time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    pids = [json.loads(path.read_text())["pid"] for path in tmp_path.glob("control-plane/run/*.pid")]
    assert len(pids) == 3
    child.send_signal(signal.SIGKILL)
    child.wait()
    wait_for("they end", lambda: not [pid for pid in pids if Path(f"/proc/{pid}").exists()], 20)
