"""Pods on real nodes reach databases in a VPC: two sandboxes with the same address ranges, side by side."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from mlp_sandbox.clusters import host
from mlp_sandbox.clusters.dataplane import WATCH_SECONDS
from mlp_sandbox.clusters.images import ensure_images
from mlp_sandbox.contracts.desired import DatabaseInstance, DatabaseNetwork, EksAddon
from mlp_sandbox.databases.postgres import PostgresDataPlane, host_addresses
from mlp_sandbox.databases.postgres.binaries import installed
from mlp_sandbox.testing.postgres_client import POSTGRES_CLIENT, ensure_postgres_client
from mlp_sandbox.toolchain import ensure_kubernetes
from sandbox.tests.live.clusters.real_cluster import wait_for
from sandbox.tests.live.clusters.running import ADDONS, Clusters, Webhooks, log_of, one, run
from sandbox.tests.live.databases.databases import Running, database

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0 or not installed(), reason="needs root, and PostgreSQL"),
]
# The first range is that of both sandboxes' clusters.
NETWORK = DatabaseNetwork(vpc_id="vpc-1", subnets=("10.10.248.0/24", "10.10.249.0/24"))
ENFORCED = tuple(
    EksAddon(name=each.name, version=each.version, configuration={"enableNetworkPolicy": "true"})
    if each.name == "vpc-cni"
    else each
    for each in ADDONS
)
NAMES = ("left", "right")
READ = """
import json, os, socket, time
import psycopg
# Rules of a pod that has just started may come a moment after it.
time.sleep(float(os.environ.get("WAIT", "0")))
where = json.loads(os.environ["WHERE"])
try:
    socket.create_connection((where["host"], where["port"]), 5).close()
except OSError as error:
    raise SystemExit(f"unreachable: {error}")
if "CA" in os.environ:
    open("/tmp/ca.pem", "w").write(os.environ["CA"])
try:
    with psycopg.connect(**where, sslmode="verify-full", connect_timeout=5) as connection:
        print("read:", connection.execute("SELECT word FROM kept").fetchone()[0])
        print("tls:", connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()[0])
        print("id:", os.getuid(), open(os.environ["PGSSLROOTCERT"]).read().startswith("-----BEGIN CERTIFICATE"))
except psycopg.OperationalError as error:
    print("failed:", " ".join(str(error).split()))
"""
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 61234,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass
class Side:
    """One of the sandboxes: its databases and its cluster."""

    name: str
    databases: Running
    clusters: Clusters

    @property
    def instance(self) -> DatabaseInstance:
        # Of $$ in a variable's value Kubernetes makes one.
        return database(resource_id=f"db-{self.name}", network=NETWORK, master_password=f"plain-{self.name}")

    @property
    def address(self) -> str:
        address = self.databases.plane.status(self.instance.resource_id).address
        assert address is not None
        return address

    def say(self, word: str) -> None:
        with self.databases.connect(self.instance) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
            connection.execute("TRUNCATE kept")
            connection.execute("INSERT INTO kept VALUES (%s)", (word,))

    def pod(self, name: str, *, address: str | None = None, labels: dict[str, str] | None = None, **env: str) -> str:
        """Run a pod that reads from the database, and return what it says."""
        where = {
            "host": address or self.address,
            "port": self.instance.port,
            "user": self.instance.master_username,
            "password": self.instance.master_password,
            "dbname": self.instance.db_name,
        }
        variables = [{"name": name, "value": value} for name, value in {"WHERE": json.dumps(where), **env}.items()]
        security: dict[str, Any] = {} if "CA" in env else {"securityContext": RESTRICTED}
        api = self.clusters.api(self.name)
        run(api, name, READ, image=POSTGRES_CLIENT, labels=labels, env=variables, **security)
        return log_of(api, name)


def routes_of(side: Side) -> str:
    """Read the routes of a side's cluster."""
    return host_addresses._ip("-n", side.clusters.folder(side.name).netns, "route", "show")


@contextmanager
def always(holds: Callable[[], bool], what: str) -> Generator[None]:
    """Fail unless the condition holds at every check, until the clusters have polled three times after the block."""
    ended, broken = threading.Event(), threading.Event()

    def look() -> None:
        until = None
        while until is None or time.monotonic() < until:
            if not holds():
                broken.set()
            if until is None and ended.wait(0.05):
                until = time.monotonic() + 3 * WATCH_SECONDS

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert not broken.is_set(), what


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Side]]:
    """Yield both sides. The left database exists before its cluster; the right one is created after its cluster."""
    ensure_kubernetes(lambda _line: None)
    ensure_images(lambda _line: None, ("pause", "coredns", "metrics-server", "python"))
    ensure_postgres_client()
    root = tmp_path_factory.mktemp("databases")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhooks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    before = {name: host.snapshot(root / name) for name in NAMES}
    made: dict[str, Side] = {}
    for name in NAMES:
        plane = PostgresDataPlane(root / name, logging.getLogger(f"databases of {name}"))
        clusters = Clusters(root / name, server.server_port, plane)
        made[name] = Side(name, Running(home=root / name, plane=plane), clusters)
    left, right = (made[name] for name in NAMES)
    left.databases.available(left.instance)
    right.databases.plane.reconcile([])
    for side in made.values():
        side.clusters.want(one(side.name, vpc_id=NETWORK.vpc_id, addons=ENFORCED))
    for side in made.values():
        side.clusters.until(side.name, "its node is Ready", lambda status: len(status.ready_nodes) == 1)
    right.databases.available(right.instance)
    yield made
    for side in made.values():
        side.clusters.plane.close()
        side.databases.plane.close()
    server.shutdown()
    for name in NAMES:
        assert host.leftovers(before[name], host.snapshot(root / name)) == []


@pytest.fixture
def left(sides: dict[str, Side]) -> Side:
    return sides["left"]


@pytest.fixture
def right(sides: dict[str, Side]) -> Side:
    return sides["right"]


def of_machine() -> dict[str, str]:
    return {str(each.address.ip): each.label for each in host_addresses.of_machine()}


def test_databases_have_addresses_of_their_subnets_each_its_own(left: Side, right: Side):
    assert left.address != right.address
    for side in (left, right):
        assert side.address.startswith("10.10.248.")
        assert of_machine()[side.address] == host_addresses.label(side.databases.home)


def test_a_pod_reads_from_its_own_sandboxs_database_which_it_verifies(left: Side, right: Side):
    """The manifest needs no setting: any user, a read-only file system, and the image's own settings are overridden."""
    for side in (left, right):
        side.say(f"word of {side.name}")
        wanted = [f"read: word of {side.name}", "tls: True", "id: 61234 True"]
        assert side.pod("reads").splitlines() == wanted


def test_a_pod_does_not_reach_the_database_of_the_other_sandbox(left: Side, right: Side):
    said = left.pod("reads-others", address=right.address)
    assert said.startswith("unreachable:"), said
    assert "No route to host" in said


def test_a_pod_that_trusts_another_authority_refuses_the_database(left: Side, right: Side):
    other = right.databases.plane.ca_bundle.read_text()
    said = left.pod("trusts-others", CA=other, PGSSLROOTCERT="/tmp/ca.pem")
    assert said.startswith("failed:")
    assert "certificate verify failed" in said


def test_a_network_policy_lets_pods_through_to_the_network_of_the_vpc_or_not(left: Side):
    policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    databases = {
        "to": [{"ipBlock": {"cidr": "10.10.0.0/16"}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }
    elsewhere = {**databases, "ports": [{"protocol": "TCP", "port": 5433}]}
    for name, egress in (("open", databases), ("closed", elsewhere)):
        spec = {"podSelector": {"matchLabels": {"app": name}}, "policyTypes": ["Egress"], "egress": [egress]}
        left.clusters.api("left").create(policies, {"metadata": {"name": name}, "spec": spec})
    left.say("allowed")
    assert left.pod("closed", labels={"app": "closed"}, WAIT="3").startswith("unreachable:")
    assert left.pod("open", labels={"app": "open"}, WAIT="3").startswith("read: allowed")


def test_what_was_killed_comes_back_at_the_same_address(left: Side):
    """The emulator was killed, and the machine has lost the address meanwhile."""
    before = left.address
    left.databases.plane._closing.set()
    host_addresses.release(left.databases.home)
    assert before not in of_machine()
    plane = PostgresDataPlane(left.databases.home, logging.getLogger("again"))
    left.databases.plane = plane
    left.clusters.plane._databases = plane
    with always(lambda: before in routes_of(left), "the cluster keeps its way to the address"):
        left.databases.available(left.instance)
    assert left.address == before
    left.say("again")
    assert left.pod("reads-again").startswith("read: again")


def test_an_address_that_somebody_takes_from_the_machine_is_there_again(left: Side):
    host_addresses.release(left.databases.home)
    wait_for("it is there again", lambda: left.address in of_machine(), 20)


def test_after_its_deletion_nothing_leads_to_a_database(right: Side):
    address, netns = right.address, right.clusters.folder("right").netns

    def routed() -> bool:
        return address in routes_of(right)

    assert routed()
    right.databases.plane.reconcile([])
    assert address not in of_machine()
    wait_for("its route is gone", lambda: not routed(), 30)
    assert host_addresses._ip("-n", netns, "neighbour", "show", "proxy").strip() == ""
