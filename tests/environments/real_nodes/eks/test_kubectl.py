"""First commands of a user: the AWS command line points kubectl to the cluster, and each kubectl command works."""

from __future__ import annotations

import shlex
import urllib.request
from collections.abc import Iterator

import pytest

from mlp_sandbox.testing.box import eventually, free_port
from tests.environments.real_nodes.deployed import CLUSTER, Deployed, is_ready
from tests.environments.real_nodes.eks.manifests import deployment

WRITES_AND_SERVES = """
import http.server
print('serving', flush=True)
http.server.ThreadingHTTPServer(('', 8080), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture(scope="module")
def web(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of a pod that logs and serves."""
    with deployed.namespace() as namespace:
        manifest = deployment("web", namespace, WRITES_AND_SERVES)
        deployed.api.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", manifest)

        def ready() -> str | None:
            return next((pod["metadata"]["name"] for pod in deployed.pods(namespace) if is_ready(pod)), None)

        yield namespace, eventually(ready, f"the pod is ready: {deployed.told(namespace)}", 120)


def test_the_command_that_the_environment_tells_points_kubectl_to_its_cluster(deployed: Deployed) -> None:
    said = deployed.box.run(*shlex.split(deployed.outputs["kubeconfig_command"])).stdout
    assert f"cluster/{CLUSTER}" in said
    context = deployed.box.kubectl("config", "current-context").strip()
    assert context == f"arn:aws:eks:us-east-1:123456789012:cluster/{CLUSTER}"
    assert deployed.outputs["cluster_endpoint"] in deployed.box.kubectl("cluster-info")


def test_nodes_show_their_accelerator(deployed: Deployed) -> None:
    heading, *lines = deployed.box.kubectl("get", "nodes", "-L", "accelerator").splitlines()
    assert heading.split()[-1] == "ACCELERATOR"
    assert len(lines) >= 2
    accelerated = {node["metadata"]["name"] for node in deployed.nodes("l4")}
    for line in lines:
        name, state, *_ = line.split()
        assert state == "Ready"
        assert line.endswith("nvidia-l4") == (name in accelerated)


def test_top_shows_what_nodes_and_pods_use(deployed: Deployed) -> None:
    def measured() -> list[str] | None:
        lines = deployed.box.kubectl("top", "nodes", "--no-headers", ok=False).splitlines()
        return lines if len(lines) >= 2 and not any("error" in line or "unknown" in line for line in lines) else None

    for line in eventually(measured, "metrics of all nodes", 120):
        _, cores, share, memory, _ = line.split()
        assert int(cores.removesuffix("m")) > 0
        assert 0 <= int(share.removesuffix("%")) <= 100
        assert int(memory.removesuffix("Mi")) > 50
    pods = deployed.box.kubectl("top", "pods", "--namespace", "kube-system", "--no-headers")
    assert "coredns-" in pods
    assert "metrics-server-" in pods


def test_logs_shows_what_a_pod_wrote(deployed: Deployed, web: tuple[str, str]) -> None:
    namespace, pod = web
    assert deployed.box.run("kubectl", "logs", "--namespace", namespace, pod).stdout == "serving\n"


def test_exec_runs_a_command_in_a_pod_and_passes_its_exit_code_on(deployed: Deployed, web: tuple[str, str]) -> None:
    namespace, pod = web
    command = ("kubectl", "exec", "--namespace", namespace, pod, "--", "python3", "-c")
    assert deployed.box.run(*command, "import socket; print(socket.gethostname())").stdout.strip() == pod
    assert deployed.box.run(*command, "raise SystemExit(7)", ok=False).returncode == 7


def test_port_forward_reaches_a_pod(deployed: Deployed, web: tuple[str, str]) -> None:
    namespace, pod = web
    port = free_port()
    command = ("kubectl", "port-forward", "--namespace", namespace, f"pod/{pod}", f"{port}:8080")
    forwarding = deployed.box.start(*command, cwd=deployed.copy.folder)
    try:
        eventually(lambda: _answers(port), "the forwarded port answers", 60)
    finally:
        forwarding.terminate()
        forwarding.wait()


def _answers(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/etc/hostname", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False
