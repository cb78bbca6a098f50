"""Whole clusters as the emulator runs them: nodes, add-ons, faults, two side by side, and complete cleanup."""

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from mlp_sandbox import processes
from mlp_sandbox.clusters import host, lifecycle
from mlp_sandbox.clusters.dataplane import EksDataPlane, built_programs
from mlp_sandbox.clusters.images import ensure_images
from mlp_sandbox.contracts.desired import EksAddon
from mlp_sandbox.toolchain import ensure_kubernetes
from sandbox.tests.live.clusters.real_cluster import wait_for
from sandbox.tests.live.clusters.running import NAMES, Clusters, Webhooks, log_of, one, run
from sandbox.tests.unit.clusters.clusters import instance

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="clusters have networks and real nodes as root only"),
]


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    ensure_kubernetes(lambda _line: None)
    ensure_images(lambda _line: None, ("pause", "coredns", "metrics-server", "python"))
    home = tmp_path_factory.mktemp("clusters")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhooks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    before = host.snapshot(home)
    made = Clusters(home, server.server_port)
    yield made
    made.plane.close()
    server.shutdown()
    assert host.leftovers(before, host.snapshot(home)) == []


@pytest.fixture(scope="module")
def first(clusters: Clusters) -> Clusters:
    clusters.want(one("one", general=3, gpu=2))
    clusters.until("one", "is active", lambda status: status.state == "active")
    clusters.until("one", "five nodes are Ready", lambda status: len(status.ready_nodes) == 5)
    clusters.until("one", "add-ons are healthy", lambda status: status.healthy_addons == set(NAMES))
    return clusters


def test_two_general_and_one_gpu_node_are_real_and_the_others_simulated(first: Clusters):
    nodes = first.api("one").list("/api/v1/nodes")
    real = {node["metadata"]["name"]: "simulated" not in node["status"]["nodeInfo"]["osImage"] for node in nodes}
    assert real == {instance(number).private_dns_name: number in (0, 1, 50) for number in (0, 1, 2, 50, 51)}


def test_pods_find_services_by_name_and_the_emulated_aws_and_nothing_else(first: Clusters):
    script = """
import os, socket, time, urllib.request
print(socket.gethostbyname("kubernetes.default.svc.cluster.local"))
body = b'{"spec": {"token": "nobody"}}'
print(urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/authenticate", body).status)
began = time.monotonic()
for call in (lambda: socket.gethostbyname("example.com"), lambda: socket.create_connection(("192.0.2.1", 80), 20)):
    try:
        call()
    except OSError as error:
        print(type(error).__name__, time.monotonic() - began < 5)
"""
    api = first.api("one")
    run(api, "looks-around", script)
    assert log_of(api, "looks-around").splitlines() == ["172.20.0.1", "200", "gaierror True", "OSError True"]


def test_network_policies_hold_while_the_vpc_cni_is_told_to_enforce_them(first: Clusters):
    api = first.api("one")
    told = EksAddon(name="vpc-cni", version="v1", configuration={"enableNetworkPolicy": "true"})
    as_before = one("one", general=3, gpu=2)
    others = tuple(addon for addon in as_before.addons if addon.name != told.name)
    policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    closed = {"podSelector": {"matchLabels": {"app": "closed"}}, "policyTypes": ["Egress"]}
    api.create(policies, {"metadata": {"name": "closed"}, "spec": closed})
    script = """
import os, time, urllib.parse, socket
aws = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
while True:
    try:
        socket.create_connection((aws.hostname, aws.port), 1).close()
        print("reached", flush=True)
    except OSError:
        print("refused", flush=True)
    time.sleep(0.2)
"""
    run(api, "closed", script)
    path = "/api/v1/namespaces/default/pods/closed"
    api.merge(path, {"metadata": {"labels": {"app": "closed"}}})

    def says(word: str) -> Callable[[], bool]:
        return lambda: running() and str(api.get(f"{path}/log", tailLines="1")["text"]).strip() == word

    def running() -> bool:
        return api.get(path)["status"].get("phase") == "Running"

    def vpc_cni() -> str:
        [described] = [each for each in lifecycle.describe(first.home) if each.cluster_id == "one"]
        return str(described.addons[told.name]["reason"])

    wait_for("nothing is enforced", says("reached"))
    assert "not enforced" in vpc_cni()
    first.want(replace(as_before, addons=(*others, told)))
    wait_for("the policy holds", says("refused"))
    wait_for("the status says so", lambda: vpc_cni().endswith("which enforces NetworkPolicy"))
    first.want(as_before)
    wait_for("it holds no more", says("reached"))
    api.delete(path, {"gracePeriodSeconds": 0})
    api.delete(f"{policies}/closed")


def test_a_pods_token_is_taken_by_its_own_cluster_for_pod_identity(first: Clusters):
    api = first.api("one")
    run(api, "shows-token", "import os; print(open(os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']).read())")
    token = log_of(api, "shows-token").strip()
    identity = first.plane.verify_pod_token("one", token)
    assert identity is not None
    assert (identity.namespace, identity.service_account, identity.pod_name) == ("default", "default", "shows-token")
    assert first.plane.verify_pod_token("another", token) is None
    assert first.plane.verify_pod_token("one", f"{token[:-4]}AAAA") is None


@pytest.mark.parametrize(
    ("token", "namespace", "status"),
    [("k8s-aws-v1.x", "default", "200"), ("k8s-aws-v1.x", "kube-system", "403"), ("wrong", "default", "401")],
)
def test_who_asks_and_what_they_may_is_the_emulators_word(first: Clusters, token: str, namespace: str, status: str):
    url = f"{first.plane.status('one').endpoint}/api/v1/namespaces/{namespace}/pods"
    command = ["curl", "--silent", "--cacert", str(first.folder("one").pki / "ca.crt"), "--output", os.devnull]
    command += ["--write-out", "%{http_code}", "--header", f"Authorization: Bearer {token}", url]
    assert subprocess.check_output(command, text=True) == status


@pytest.mark.parametrize("killed", ["etcd", "kube-apiserver", "kube-scheduler", "kwok", "registry"])
def test_a_process_killed_comes_back_and_what_was_written_is_there(first: Clusters, killed: str):
    api = first.api("one")
    path = "/api/v1/namespaces/default/configmaps"
    api.create(path, {"metadata": {"name": f"before-{killed}"}})
    pid_file = first.folder("one").run / f"{killed}.pid"
    pid = processes.running(pid_file)
    first.kill(pid_file)
    wait_for(f"{killed} runs again", lambda: processes.running(pid_file) not in (None, pid), 60)
    wait_for("the API answers", api.ready, 60)
    assert api.find(f"{path}/before-{killed}") is not None


def state_of(clusters: Clusters, cluster_id: str) -> str:
    (found,) = [each.state for each in lifecycle.describe(clusters.home) if each.cluster_id == cluster_id]
    return found


def test_the_supervisor_killed_comes_back_and_takes_over_what_runs(first: Clusters):
    folder = first.folder("one")
    pids = {path.stem: processes.running(path) for path in folder.run.glob("*.pid")}
    supervisor = processes.running(folder.supervisor_pid)
    first.kill(folder.supervisor_pid)
    wait_for("another one runs", lambda: processes.running(folder.supervisor_pid) not in (None, supervisor), 30)
    wait_for("it says that one is active", lambda: state_of(first, "one") == "active", 60)
    assert {path.stem: processes.running(path) for path in folder.run.glob("*.pid")} == pids
    assert first.plane.status("one").state == "active"


def test_a_node_whose_instance_is_gone_leaves_with_its_pods(first: Clusters):
    api = first.api("one")
    gone = [instance(2).private_dns_name, instance(50).private_dns_name]
    first.want(one("one", general=2, gpu=0))
    wait_for("their nodes are gone", lambda: not [name for name in gone if api.find(f"/api/v1/nodes/{name}")], 90)
    pods = api.list("/api/v1/pods")
    assert not [pod for pod in pods if pod["spec"].get("nodeName") in gone]
    wait_for("its folder is gone", lambda: not (first.folder("one").nodes / gone[1]).exists(), 30)


def test_a_second_cluster_with_the_same_ranges_lives_beside_the_first_and_goes_alone(first: Clusters):
    first.want(one("one", general=1), one("two", general=1))
    first.until("two", "its node is Ready", lambda status: len(status.ready_nodes) == 1)
    assert first.plane.status("two").endpoint != first.plane.status("one").endpoint
    for name in ("one", "two"):
        run(first.api(name), "who", f"print('{name}')")
        assert log_of(first.api(name), "who").strip() == name
    namespace = Path("/run/netns", first.folder("two").netns)
    assert namespace.exists()
    first.want(one("one", general=1))
    wait_for("two is forgotten", lambda: not first.folder("two").root.exists(), 90)
    assert not namespace.exists()
    assert first.api("one").ready()


def test_after_everything_was_killed_nothing_stays_and_what_was_written_comes_back(first: Clusters):
    folder = first.folder("one")
    api = first.api("one")
    api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "kept"}})
    first.plane._closing = True  # the emulator is killed with the others: nobody mends
    wait_for("it has stopped watching", lambda: first.plane._thread and not first.plane._thread.is_alive(), 30)
    first.kill(folder.supervisor_pid, *folder.run.glob("*.pid"), *folder.nodes.glob("*/init.pid"))
    assert lifecycle.stop_all(first.home) <= 1
    assert lifecycle.marked(folder) == []
    assert [each.state for each in lifecycle.describe(first.home)] == ["stopped"]
    again = Clusters(first.home, first.plane._port)
    first.plane = again.plane
    first.want(one("one", general=1))
    first.until("one", "is active again", lambda status: status.state == "active")
    assert first.api("one").find("/api/v1/namespaces/default/configmaps/kept") is not None
    first.until("one", "its node is Ready", lambda status: len(status.ready_nodes) == 1)


def test_programs_that_are_not_built_are_told(tmp_path: Path):
    plane = EksDataPlane(tmp_path, logging.getLogger("clusters"), 1, find_programs=lambda: None)
    plane.reconcile([one("one")])
    wait_for("it fails", lambda: plane.status("one").state == "failed")
    assert plane.status("one").reason == "the programs of Kubernetes are not built; run `mlp setup`"
    plane.close()


def test_the_built_programs_are_found():
    found = built_programs()
    assert found is not None
    assert {"etcd", "kube-apiserver", "kubelet", "kwok"} <= set(found.paths)
