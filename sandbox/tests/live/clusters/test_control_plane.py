"""The control plane alone, for any user: the real API server, controllers and scheduler, and KWOK."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlp_sandbox.clusters.control_plane.api import ApiError
from mlp_sandbox.clusters.control_plane.scratch import ScratchControlPlane
from mlp_sandbox.clusters.nodes.nodes import wanted_nodes
from mlp_sandbox.clusters.nodes.simulated_nodes import manifest
from mlp_sandbox.toolchain import ensure_kubernetes
from sandbox.tests.live.clusters.bare_pods import PODS, pod
from sandbox.tests.live.clusters.real_cluster import wait_for
from sandbox.tests.unit.clusters.clusters import GPU_TAINT, cluster, group, instance

pytestmark = pytest.mark.timeout(600)


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
        "from mlp_sandbox.clusters.control_plane.scratch import scratch_control_plane\n"
        "from mlp_sandbox.clusters.exchange import ProgramPaths\n"
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
