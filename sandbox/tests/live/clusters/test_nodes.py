"""Real nodes: containers run, find each other and obey limits; killed processes restart; nothing is left behind."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlp_sandbox import processes
from mlp_sandbox.clusters.control_plane.api import ApiError
from mlp_sandbox.clusters.nodes.real import RealNode
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.contracts.desired import EksTaint
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.testing.box import free_port
from mlp_sandbox.toolchain.node_programs import missing_packages, real_node_problems
from sandbox.tests.live.clusters.real_cluster import PYTHON, RealCluster, real_cluster, unchanged_machine, wait_for
from sandbox.tests.live.clusters.web_servers import answers, deploy, pods_of

pytestmark = [
    pytest.mark.skipif(bool(real_node_problems() or missing_packages()), reason="no real nodes on this machine"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    with real_cluster(tmp_path_factory.mktemp("real")) as found:
        for number in (1, 2):
            found.node(found.spec(number))
        yield found


@pytest.fixture(autouse=True)
def no_pods(cluster: RealCluster) -> Iterator[None]:
    yield
    cluster.kubectl("delete", "pods,services,jobs,cronjobs,deployments", "--all", "--wait=false")
    now = {"gracePeriodSeconds": 0}
    for pod in cluster.api.list("/api/v1/namespaces/default/pods"):
        cluster.api.delete(f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}", now)


def names(cluster: RealCluster) -> list[str]:
    return list(cluster.nodes)


def pid_of(cluster: RealCluster, node: str, service: str) -> int | None:
    """Return the host's pid of a process of the node."""
    outside = processes.running(NodeFolder(cluster.folder.nodes / node).pid_file)
    assert outside is not None
    for process in psutil.Process(outside).children(recursive=True):
        try:
            if Path(process.exe()).name == service:
                return process.pid
        except psutil.Error:
            continue
    return None


def comes_back(cluster: RealCluster, node: str, service: str, gone: int) -> None:
    def another() -> bool:
        return cluster.nodes[node].running() and pid_of(cluster, node, service) not in (None, gone)

    wait_for(f"another {service}", another)


def test_pods_on_two_nodes_answer_each_other_through_a_service(cluster: RealCluster) -> None:
    deploy(cluster, "web", 2)
    pods = pods_of(cluster, "web")
    assert sorted(pods.values()) == sorted(names(cluster))
    address = cluster.api.get("/api/v1/namespaces/default/services/web")["spec"]["clusterIP"]

    def hears_both(pod: str) -> bool:
        return {answers(cluster, pod, f"http://{address}") for _ in range(20)} == set(pods)

    for pod in pods:
        # kube-proxy learns of the endpoints a moment after they are ready: a Service without any refuses connections.
        wait_for(f"{pod} hears both, itself included", lambda pod=pod: works(lambda: hears_both(pod)))


def test_a_node_has_the_size_of_its_instance_type_and_what_eks_leaves_of_it(cluster: RealCluster) -> None:
    status = cluster.api.get(f"/api/v1/nodes/{names(cluster)[0]}")["status"]
    assert (status["capacity"]["cpu"], status["capacity"]["memory"]) == ("8", "32Gi")
    assert (status["allocatable"]["cpu"], status["allocatable"]["memory"]) == ("7910m", f"{32768 - 574 - 100}Mi")
    assert status["capacity"]["pods"] == "29"


def test_a_pod_above_its_memory_limit_is_killed_and_its_neighbour_is_not(cluster: RealCluster) -> None:
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    node = names(cluster)[0]
    cluster.run("modest", "print(len(bytearray(16 * 1024**2)))", node=node, container=limits)
    cluster.run("greedy", "print(len(bytearray(256 * 1024**2)))", node=node, container=limits)
    assert cluster.log_of("modest").strip() == str(16 * 1024**2)
    wait_for("greedy ends", lambda: cluster.phase("greedy", "Failed"))
    ended = cluster.pod("greedy")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_a_job_and_a_cron_job_run_to_their_end(cluster: RealCluster) -> None:
    job = {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "main", "image": PYTHON, "command": ["python3", "-c", "print(6 * 7)"]}],
            }
        }
    }
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": job}},
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    cluster.kubectl("create", "job", "now", "--from=cronjob/nightly")
    cluster.kubectl("wait", "--for=condition=complete", "job/now", "--timeout=50s")
    assert cluster.kubectl("logs", "job/now").strip() == "42"


def test_port_forward_reaches_a_pod(cluster: RealCluster) -> None:
    deploy(cluster, "forwarded", 1)
    [pod] = pods_of(cluster, "forwarded")
    port = free_port()
    command = [str(cluster.tools.path("kubectl")), "--kubeconfig", str(cluster.plane.kubeconfig)]
    forwarding = subprocess.Popen([*command, "port-forward", pod, f"{port}:8080"], stdout=subprocess.DEVNULL)
    try:
        wait_for("the port", lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}") as answer:
            assert answer.read().decode() == pod
    finally:
        forwarding.terminate()
        forwarding.wait()


def test_an_image_that_the_catalogue_does_not_have_is_said_so_in_the_event(cluster: RealCluster) -> None:
    cluster.run("unknown", "", container={"image": "ghcr.io/nobody/nothing:1"})

    def event() -> str | None:
        for each in cluster.api.list("/api/v1/namespaces/default/events"):
            if each["involvedObject"]["name"] == "unknown" and "Failed to pull image" in each["message"]:
                return str(each["message"])
        return None

    assert "not in the sandbox's image catalogue" in wait_for("the event", event, 90)


def test_processes_that_are_killed_come_back_and_pods_run_on(cluster: RealCluster) -> None:
    deploy(cluster, "steady", 2)
    node = names(cluster)[0]
    before = pods_of(cluster, "steady")
    for service in ("kubelet", "containerd", "kube-proxy"):
        gone = pid_of(cluster, node, service)
        assert gone is not None
        os.kill(gone, signal.SIGKILL)
        comes_back(cluster, node, service, gone)
    cluster.nodes[node].start()  # finds that there is nothing to do
    pod = next(pod for pod, where in before.items() if where == node)
    wait_for("exec works again", lambda: works(lambda: answers(cluster, pod, "http://127.0.0.1:8080")))
    assert pods_of(cluster, "steady") == before
    assert cluster.pod(pod)["status"]["containerStatuses"][0]["restartCount"] == 0


def works(action: Callable[[], object]) -> bool:
    """Return whether an action succeeds with a true result."""
    try:
        return bool(action())
    except (AssertionError, ApiError):
        return False


def test_a_node_that_was_killed_is_started_again_and_its_pods_with_it(cluster: RealCluster) -> None:
    deploy(cluster, "reborn", 2)
    node = names(cluster)[1]
    outside = processes.running(NodeFolder(cluster.folder.nodes / node).pid_file)
    assert outside is not None
    [first] = psutil.Process(outside).children()
    inside = first.children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs([first, *inside], timeout=20)
    assert not alive, "everything ends with the first process"
    wait_for("the one outside ends too", lambda: not cluster.nodes[node].running(), 5)

    cluster.nodes[node].start()
    assert cluster.nodes[node].running()
    pod = next(pod for pod, where in pods_of(cluster, "reborn").items() if where == node)
    wait_for("its pod runs again", lambda: cluster.pod(pod)["status"]["containerStatuses"][0]["restartCount"] == 1)
    wait_for("and answers", lambda: works(lambda: answers(cluster, pod, "http://127.0.0.1:8080")))


def test_a_running_node_is_found_again_and_one_with_another_plan_is_replaced(cluster: RealCluster) -> None:
    spec = cluster.spec(1)
    before = processes.running(NodeFolder(cluster.place(spec)).pid_file)
    RealNode(cluster.place(spec), spec, cluster.access, cluster.tools).start()
    assert processes.running(NodeFolder(cluster.place(spec)).pid_file) == before
    labelled = cluster.spec(1, labels={**spec.labels, "team": "vision"})
    RealNode(cluster.place(spec), labelled, cluster.access, cluster.tools).start()
    assert processes.running(NodeFolder(cluster.place(spec)).pid_file) == before, "labels change in the API"
    grown = cluster.spec(1, max_pods=30)
    RealNode(cluster.place(grown), grown, cluster.access, cluster.tools).start()
    assert processes.running(NodeFolder(cluster.place(spec)).pid_file) != before
    capacity = wait_for(
        "the new capacity",
        lambda: cluster.api.get(f"/api/v1/nodes/{spec.name}")["status"]["capacity"]["pods"] == "30",
    )
    assert capacity


def test_the_pod_identity_agent_answers_while_its_add_on_is_installed_and_only_to_a_token(
    cluster: RealCluster,
) -> None:
    node = names(cluster)[0]
    deploy(cluster, "asking", 2)
    pod = next(pod for pod, where in pods_of(cluster, "asking").items() if where == node)
    code = (
        "import json, urllib.request, urllib.error\n"
        "request = urllib.request.Request('http://169.254.170.23/v1/credentials', headers={HEADERS})\n"
        "try:\n    urllib.request.urlopen(request, timeout=15)\n"
        "except urllib.error.HTTPError as error:\n    print(error.code, json.load(error)['code'])\n"
        "except OSError as error:\n    print('nobody there')"
    )

    def ask(headers: str = "{}") -> str:
        return cluster.kubectl("exec", pod, "--", "python3", "-c", code.replace("{HEADERS}", headers)).strip()

    assert ask() == "nobody there"
    cluster.nodes[node].set_pod_identity(True)
    wait_for("the agent", lambda: ask() == "400 MissingAuthorization")
    assert ask("{'Authorization': 'eyJ-a-token'}") == "503 ServiceUnavailable", "there is no emulated account here"
    assert "eyJ-a-token" not in (cluster.folder.nodes / node / "log" / "pod-identity-agent.log").read_text()
    cluster.nodes[node].set_pod_identity(False)
    wait_for("it is gone", lambda: ask() == "nobody there")


def test_a_tainted_node_with_accelerators_comes_and_goes_without_a_trace(cluster: RealCluster) -> None:
    taint = EksTaint(key="nvidia.com/gpu", value="true", effect="NoSchedule")
    spec = cluster.spec(7, taints=(taint,), accelerators={"nvidia.com/gpu": 4}, instance_type="g5.12xlarge")
    with unchanged_machine(cluster, spec):
        node = cluster.node(spec)
        try:
            taints = cluster.api.get(f"/api/v1/nodes/{spec.name}")["spec"]["taints"]
            assert {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"} in taints
            accelerators = cluster.place(spec) / "kubelet" / "device-plugins" / "mlp-accelerators.json"
            assert json.loads(accelerators.read_text()) == {"nvidia.com/gpu": 4}
            cluster.run(
                "stubborn",
                "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)",
                node=spec.name,
                tolerations=[{"operator": "Exists"}],
                volumes=[{"name": "scratch", "emptyDir": {"medium": "Memory"}}],
                container={"volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]},
            )
            wait_for("stubborn runs", lambda: cluster.phase("stubborn", "Running"))
        finally:
            begin = time.monotonic()
            node.stop()
            took = time.monotonic() - begin
            cluster.api.delete(f"/api/v1/nodes/{spec.name}")
            del cluster.nodes[spec.name]
    assert took < 20
    assert not node.running()


def test_what_a_killed_node_left_is_removed_by_clean(cluster: RealCluster) -> None:
    spec = cluster.spec(8)
    with unchanged_machine(cluster, spec):
        cluster.node(spec)
        del cluster.nodes[spec.name]
        outside = processes.running(NodeFolder(cluster.place(spec)).pid_file)
        assert outside is not None
        os.kill(outside, signal.SIGKILL)
        RealNode.clean(cluster.place(spec))
        cluster.api.delete(f"/api/v1/nodes/{spec.name}")


def test_a_node_that_cannot_start_says_why(cluster: RealCluster) -> None:
    spec = cluster.spec(9, private_ip="300.1.1.1")
    with unchanged_machine(cluster, spec), pytest.raises(SandboxError, match=r"does not start: ip .*300\.1\.1\.1"):
        RealNode(cluster.place(spec), spec, cluster.access, cluster.tools).start()


def test_a_real_node_without_a_range_for_pods_is_refused(cluster: RealCluster) -> None:
    spec = cluster.spec(9, pod_cidr=None)
    with pytest.raises(SandboxError, match="needs a pod_cidr"):
        RealNode(cluster.place(spec), spec, cluster.access, cluster.tools).start()
