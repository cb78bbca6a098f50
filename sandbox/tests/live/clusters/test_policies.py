"""NetworkPolicy on real nodes: only traffic that the policies allow passes, on one node and between two."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from mlp_sandbox import processes
from mlp_sandbox.clusters.addons import AddonKeeper
from mlp_sandbox.clusters.addons.keeper import AddonPlace
from mlp_sandbox.clusters.network_policy import AwsEndpoint
from mlp_sandbox.clusters.network_policy.rules import rules_of
from mlp_sandbox.clusters.network_policy.ruleset import REMOVED, ruleset
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.contracts.desired import EksAddon
from mlp_sandbox.toolchain.node_programs import missing_packages, real_node_problems
from sandbox.tests.live.clusters.policed import Policed, policed_cluster
from sandbox.tests.live.clusters.real_cluster import wait_for
from sandbox.tests.unit.clusters.network_policy.content import content, policy

pytestmark = [
    pytest.mark.skipif(bool(real_node_problems() or missing_packages()), reason="no real nodes on this machine"),
    pytest.mark.timeout(900),
]
HOLD = """
import http.client, time
held = http.client.HTTPConnection(ADDRESS, 8080, timeout=2)
try:
    while True:
        held.request("GET", "/"); held.getresponse().read(); print("answered", flush=True); time.sleep(0.1)
except OSError:
    print("cut", flush=True)
"""
ANYWHERE = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
TCP_443 = {**ANYWHERE, "ports": [{"protocol": "TCP", "port": 443}]}
DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}
DENY: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.fixture(scope="module")
def policed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policed]:
    with policed_cluster(tmp_path_factory.mktemp("policed")) as made:
        yield made


@pytest.fixture(autouse=True)
def no_policies(policed: Policed) -> Iterator[None]:
    yield
    policed.enforced = True
    policed.remove()


@pytest.fixture
def server(policed: Policed) -> dict[str, tuple[str, int]]:
    address = policed.address("server")
    assert address is not None
    web = policed.cluster.api.get("/api/v1/namespaces/default/services/web")["spec"]["clusterIP"]
    return {"http": (address, 8080), "other": (address, 9090), "service": (web, 80)}


def test_nftables_takes_every_form_of_rule_and_again_in_place_of_itself():
    wide = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/16"]}}
    narrow = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    ports: list[dict[str, Any]] = [{"protocol": "UDP"}, {"port": 80, "endPort": 90}, {"port": 85}, {"port": "http"}]
    ports += [{"port": 9, "protocol": "SCTP"}]
    peers: list[dict[str, Any]] = [wide, narrow, {"ipBlock": {"cidr": "10.0.0.0/9"}}, {"podSelector": {}}]
    one = policy({"policyTypes": ["Egress"], "egress": [{"to": peers, "ports": ports}, {"to": peers}, {}]})
    other = policy({"ingress": [{"from": peers, "ports": ports}, {"ports": ports}, {"from": peers}]})
    made = content(one, other)
    rules = [(pod, rules_of(pod, made)) for pod in made.pods]
    text = ruleset(rules, node_address="10.10.0.11", aws=AwsEndpoint(address="198.18.1.1", port=4566))
    command = ["unshare", "--net", "sh", "-ec", 'for text in "$0" "$0" "$1"; do echo "$text" | nft -f -; done', text]
    done = subprocess.run([*command, REMOVED], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


def test_default_deny_shuts_off_pods_of_the_same_node_and_of_others_until_it_is_removed(
    policed: Policed, server: dict[str, tuple[str, int]]
):
    everything = set(server)
    for name, namespace in (("near", "default"), ("far", "default"), ("guest", "guests")):
        policed.until(name, server, everything, namespace)
    policed.policy("deny", DENY)
    began = time.monotonic()
    policed.until("near", server, set())
    assert time.monotonic() - began < 6, "at once: the look itself takes two seconds"
    policed.until("far", server, set())
    policed.until("guest", server, set(), "guests")
    guest = policed.address("guest", "guests")
    assert guest is not None
    policed.until("server", {"guest": (guest, 8080)}, set())
    policed.until("server", {"itself": server["http"]}, {"itself"})
    policed.remove()
    policed.until("near", server, everything)
    policed.until("far", server, everything)


def test_the_node_reaches_its_own_pods_whatever_the_policies_say(policed: Policed):
    policed.policy("deny", DENY)
    policed.pod("probed", policed.cluster.spec(1).name)
    path = "/api/v1/namespaces/default/pods/probed"
    address = wait_for("probed runs", lambda: policed.address("probed"), 60)
    policed.until("far", {"probed": (address, 8080)}, set())
    pid = processes.running(NodeFolder(policed.cluster.place(policed.cluster.spec(1))).pid_file)
    look = f"import socket; socket.create_connection(({address!r}, 8080), 5)"
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "--", "python3", "-c", look], check=True, timeout=20)
    policed.cluster.api.delete(path, {"gracePeriodSeconds": 0})


def test_a_namespace_may_be_let_in_and_a_pod_of_it_by_its_labels(policed: Policed, server: dict[str, tuple[str, int]]):
    policed.policy("deny", {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"]})
    guests = {"namespaceSelector": {"matchLabels": {"team": "guests"}}}
    policed.policy("guests", {"podSelector": {}, "ingress": [{"from": [guests]}]})
    policed.until("guest", server, set(server), "guests")
    policed.until("near", server, set())
    policed.policy(
        "near", {"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "near"}}}]}]}
    )
    policed.until("near", server, set(server))
    policed.until("far", server, set())
    policed.cluster.kubectl("label", "namespace", "guests", "team=strangers", "--overwrite")
    policed.until("guest", server, set(), "guests")
    policed.cluster.kubectl("label", "namespace", "guests", "team=guests", "--overwrite")
    policed.until("guest", server, set(server), "guests")


def test_a_range_of_addresses_is_let_in_without_its_exceptions(policed: Policed, server: dict[str, tuple[str, int]]):
    far = policed.address("far")
    block = {"cidr": "100.64.0.0/16", "except": [f"{far}/32"]}
    policed.policy("range", {"podSelector": {}, "ingress": [{"from": [{"ipBlock": block}]}]})
    policed.until("far", server, set())
    policed.until("near", server, set(server))
    policed.until("guest", server, set(server), "guests")


def test_a_named_port_is_the_pods_own_and_the_others_are_shut(policed: Policed, server: dict[str, tuple[str, int]]):
    policed.policy("http", {"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]})
    for name in ("near", "far"):
        policed.until(name, server, {"http", "service"})


def test_a_pod_may_send_to_those_that_are_selected_by_their_service_too(
    policed: Policed, server: dict[str, tuple[str, int]]
):
    far = policed.address("far")
    assert far is not None
    to = {"to": [{"podSelector": {"matchLabels": {"app": "server"}}}], "ports": [{"port": 8080}]}
    spec = {"podSelector": {"matchLabels": {"app": "near"}}, "policyTypes": ["Egress"], "egress": [to]}
    policed.policy("to-server", spec)
    policed.until("near", {**server, "far": (far, 8080)}, {"http", "service"})


def test_a_range_that_holds_the_pods_but_not_the_services_does_not_reach_them_through_a_service(
    policed: Policed, server: dict[str, tuple[str, int]]
):
    to = {"to": [{"ipBlock": {"cidr": "100.64.0.0/16"}}]}
    policed.policy("pods", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [to]})
    policed.until("near", server, {"http", "other"})


def test_where_dns_alone_is_allowed_names_are_found_and_nothing_is_reached(
    policed: Policed, server: dict[str, tuple[str, int]]
):
    keeper = AddonKeeper(policed.cluster.api, AddonPlace(dns_address="172.20.0.10", on_real_nodes=True))
    coredns = EksAddon(name="coredns", version="v1", configuration={"replicaCount": 1})
    wait_for("CoreDNS is healthy", lambda: keeper.step([coredns]), 120)
    find = "import socket; socket.gethostbyname('kubernetes.default.svc.cluster.local')"

    def finds() -> bool:
        try:
            policed.cluster.kubectl("exec", "far", "--", "timeout", "4", "python3", "-c", find)
        except AssertionError:
            return False
        return True

    wait_for("names are found", finds)
    policed.policy("deny", DENY)
    wait_for("names are not found", lambda: not finds())
    policed.policy("allow-dns", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [DNS]})
    wait_for("names are found again", finds)
    assert policed.open("far", {**server, "api": ("172.20.0.1", 443)}) == set()


def test_the_emulated_aws_stands_for_its_own_port_and_the_api_server_for_its_service(policed: Policed):
    endpoint = urlsplit(policed.cluster.access.aws_endpoint)
    targets = {"aws": (str(endpoint.hostname), int(endpoint.port or 0)), "api": ("172.20.0.1", 443)}
    policed.until("near", targets, {"aws", "api"})
    policed.policy("deny", DENY)
    policed.until("near", targets, set())
    literal = {**ANYWHERE, "ports": [{"port": endpoint.port}]}
    policed.policy("literal", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [literal]})
    policed.until("near", targets, set())
    policed.policy("apis", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [TCP_443]})
    policed.until("near", targets, {"aws", "api"})


def test_the_pod_identity_agent_is_reached_only_where_that_is_allowed(policed: Policed):
    node = policed.cluster.nodes[policed.cluster.spec(1).name]
    node.set_pod_identity(True)
    agent = {"agent": ("169.254.170.23", 80)}
    policed.until("near", agent, {"agent"})
    policed.policy("apis", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [TCP_443]})
    policed.until("near", agent, set())
    to = {"to": [{"ipBlock": {"cidr": "169.254.170.23/32"}}], "ports": [{"port": 80}]}
    policed.policy("agent", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [to]})
    policed.until("near", agent, {"agent"})
    node.set_pod_identity(False)


def test_a_connection_ends_when_a_policy_comes_that_would_not_have_let_it_be(
    policed: Policed, server: dict[str, tuple[str, int]]
):
    policed.pod("holds", policed.cluster.spec(2).name, script=HOLD.replace("ADDRESS", repr(server["http"][0])))
    wait_for("it talks", lambda: "answered" in policed.said("holds"), 60)
    policed.policy("deny", {"podSelector": {"matchLabels": {"app": "server"}}})
    wait_for("it is cut", lambda: "cut" in policed.said("holds"), 20)
    policed.cluster.api.delete("/api/v1/namespaces/default/pods/holds", {"gracePeriodSeconds": 0})


def test_a_new_pod_falls_under_the_policies_within_seconds_of_its_start(policed: Policed):
    policed.policy("deny", DENY)
    guest = policed.address("guest", "guests")
    script = f"""
import socket, time
began = time.monotonic()
while time.monotonic() - began < 20:
    try:
        socket.create_connection(({guest!r}, 8080), 0.3).close()
    except OSError:
        break
    time.sleep(0.1)
print(time.monotonic() - began, flush=True)
time.sleep(1000)
"""
    policed.pod("newcomer", policed.cluster.spec(1).name, script=script)
    wait_for("newcomer runs", lambda: policed.address("newcomer"), 60)
    seconds = float(wait_for("newcomer is shut off", lambda: policed.said("newcomer"), 30))
    policed.cluster.api.delete("/api/v1/namespaces/default/pods/newcomer", {"gracePeriodSeconds": 0})
    assert seconds < 4, "from its first line to the first refusal, the kubelet's report of its address included"


def test_without_the_add_ons_switch_nothing_is_enforced(policed: Policed, server: dict[str, tuple[str, int]]):
    policed.policy("deny", DENY)
    policed.until("near", server, set())
    policed.enforced = False
    policed.until("near", server, set(server))
    policed.enforced = True
    policed.until("near", server, set())


def test_a_node_that_is_started_anew_gets_its_rules_again(policed: Policed, server: dict[str, tuple[str, int]]):
    policed.policy("deny", DENY)
    policed.until("far", server, set())
    spec = policed.cluster.spec(1)
    outside = processes.running(NodeFolder(policed.cluster.place(spec)).pid_file)
    assert outside is not None
    [first] = psutil.Process(outside).children()
    os.kill(first.pid, signal.SIGKILL)
    node = policed.cluster.nodes[spec.name]
    wait_for("the node has ended", lambda: not node.running(), 20)
    node.start()

    def serves() -> bool:
        pod = policed.cluster.pod("server")["status"]
        return bool(pod["containerStatuses"][0]["restartCount"]) and policed.address("server") is not None

    wait_for("server runs again", serves, 90)
    address = policed.address("server")
    assert address is not None
    targets = {"http": (address, 8080)}
    policed.until("far", targets, set())
    policed.remove()
    policed.until("far", targets, set(targets))
