"""Pods on real nodes under network policies; each listens and probes the others."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlp_sandbox.clusters.network_policy import AwsEndpoint, Enforcer
from sandbox.tests.live.clusters.real_cluster import PYTHON, RealCluster, real_cluster, wait_for

SERVE = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
for port in (8080, 9090):
    server = http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler)
    threading.Thread(target=server.serve_forever).start()
"""
LOOK = """
import concurrent.futures, json, socket, sys
def reaches(target):
    try:
        socket.create_connection(target, 1.5).close()
    except OSError:
        return False
    return True
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    open_ = [name for name, ok in zip(targets, pool.map(reaches, map(tuple, targets.values()))) if ok]
print(json.dumps(open_))
"""


@dataclass
class Policed:
    """Pods that listen and probe each other, and the switch of the VPC CNI add-on."""

    cluster: RealCluster
    enforced: bool = True

    def pod(self, name: str, node: str, *, namespace: str = "default", script: str = SERVE) -> None:
        container = {
            "name": "main",
            "image": PYTHON,
            "command": ["python3", "-c", script],
            "ports": [{"name": "http", "containerPort": 8080}],
        }
        spec = {
            "containers": [container],
            "nodeSelector": {"kubernetes.io/hostname": node},
            "terminationGracePeriodSeconds": 1,
        }
        body = {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}
        self.cluster.api.create(f"/api/v1/namespaces/{namespace}/pods", body)

    def address(self, name: str, namespace: str = "default") -> str | None:
        status = self.cluster.api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")["status"]
        ready = any(each.get("ready") for each in status.get("containerStatuses") or [])
        return status.get("podIP") if ready else None

    def said(self, name: str) -> str:
        """Return the pod's output so far; it is empty before the pod starts."""
        begun = self.cluster.pod(name)["status"].get("phase") != "Pending"
        return self.cluster.kubectl("logs", name).strip() if begun else ""

    def policy(self, name: str, spec: Mapping[str, Any]) -> None:
        path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
        self.cluster.api.create(path, {"metadata": {"name": name}, "spec": spec})

    def remove(self, *names: str) -> None:
        path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
        for each in names or [each["metadata"]["name"] for each in self.cluster.api.list(path)]:
            self.cluster.api.delete(f"{path}/{each}")

    def open(self, name: str, targets: Mapping[str, tuple[str, int]], namespace: str = "default") -> set[str]:
        """Return the names of the targets that the pod can connect to."""
        look = ("--", "python3", "-c", LOOK, json.dumps(targets))
        return set(json.loads(self.cluster.kubectl("exec", "-n", namespace, name, *look)))

    def until(
        self, name: str, targets: Mapping[str, tuple[str, int]], wanted: set[str], namespace: str = "default"
    ) -> None:
        last: set[str] = set()

        def as_wanted() -> bool:
            nonlocal last
            last = self.open(name, targets, namespace)
            return last == wanted

        try:
            wait_for(f"{name} reaches {wanted}", as_wanted, 20)
        except AssertionError:
            raise AssertionError(f"{name} shall reach {wanted or 'nothing'}, and reaches {last or 'nothing'}") from None


@contextmanager
def policed_cluster(folder: Path) -> Generator[Policed]:
    """Run two real nodes under an enforcer: pods `server` and `near` on one, `far` and `guest` on the other."""
    with real_cluster(folder) as cluster:
        one, two = cluster.spec(1), cluster.spec(2)
        for spec in (one, two):
            cluster.node(spec)
        endpoint = urlsplit(cluster.access.aws_endpoint)
        aws = AwsEndpoint(address=str(endpoint.hostname), port=int(endpoint.port or 0))
        made = Policed(cluster)
        log = logging.getLogger("policies")
        enforcer = Enforcer(cluster.api, cluster.folder.nodes, aws, log, wanted=lambda: made.enforced)
        enforcer.start()
        emulated = ThreadingHTTPServer((aws.address, aws.port), BaseHTTPRequestHandler)
        threading.Thread(target=emulated.serve_forever, daemon=True).start()
        guests = {"metadata": {"name": "guests", "labels": {"team": "guests"}}}
        cluster.api.create("/api/v1/namespaces", guests)
        account = "/api/v1/namespaces/guests/serviceaccounts/default"
        wait_for("the guests' service account", lambda: cluster.api.find(account))
        made.pod("server", one.name)
        made.pod("near", one.name)
        made.pod("far", two.name)
        made.pod("guest", two.name, namespace="guests")
        service = {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": "http"}]}
        cluster.api.create("/api/v1/namespaces/default/services", {"metadata": {"name": "web"}, "spec": service})
        for name in ("server", "near", "far"):
            wait_for(f"{name} runs", lambda name=name: made.address(name), 90)
        wait_for("guest runs", lambda: made.address("guest", "guests"), 90)
        yield made
        assert enforcer.problem is None
        enforcer.stop()
        emulated.shutdown()
        emulated.server_close()
