"""Clusters as the emulator's data plane runs them, pods in them, and stubs of the emulator endpoints that they call."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from mlp_sandbox import processes
from mlp_sandbox.clusters.control_plane.api import Api
from mlp_sandbox.clusters.dataplane import EksDataPlane
from mlp_sandbox.clusters.folder import ClusterFolder, cluster_folder
from mlp_sandbox.clusters.model import Certificate
from mlp_sandbox.contracts.desired import ClusterStatus, EksAddon, EksCluster, ReachableDatabases
from sandbox.tests.live.clusters.real_cluster import PYTHON, wait_for
from sandbox.tests.unit.clusters.clusters import GPU_TAINT, cluster, group, instance

NAMES = ("coredns", "metrics-server", "kube-proxy", "vpc-cni", "eks-pod-identity-agent")
ADDONS = tuple(EksAddon(name=name, version="v1") for name in NAMES)


class Webhooks(BaseHTTPRequestHandler):
    """Stub of the emulator's webhooks: tokens of `aws eks get-token` are an administrator's; others are invalid."""

    def do_POST(self) -> None:
        review: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.partition("?")[0].endswith("/authenticate"):
            known = review["spec"]["token"].startswith("k8s-aws-v1.")
            status: dict[str, Any] = {"authenticated": known, "user": {"username": "arn:aws:iam::1:role/team"}}
        else:
            status = {"allowed": review["spec"].get("resourceAttributes", {}).get("namespace") == "default"}
        answer = json.dumps({**review, "status": status}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Clusters:
    """A data plane, its home, and queries about its clusters."""

    def __init__(self, home: Path, port: int, databases: ReachableDatabases | None = None) -> None:
        self.home = home
        self.plane = EksDataPlane(home, logging.getLogger("clusters"), port, databases=databases)

    def folder(self, cluster_id: str) -> ClusterFolder:
        return cluster_folder(self.home, cluster_id)

    def want(self, *wanted: EksCluster) -> None:
        self.plane.reconcile(wanted)

    def until(self, cluster_id: str, what: str, check: Callable[[ClusterStatus], object], seconds: float = 240) -> None:
        wait_for(f"{cluster_id}: {what}", lambda: check(self.plane.status(cluster_id)) or None, seconds)

    def api(self, cluster_id: str) -> Api:
        pki = self.folder(cluster_id).pki
        endpoint = self.plane.status(cluster_id).endpoint
        assert endpoint is not None
        return Api(endpoint, pki / "ca.crt", Certificate(certificate=pki / "admin.crt", key=pki / "admin.key"))

    def kill(self, *pid_files: Path) -> None:
        for path in pid_files:
            pid = processes.running(path)
            assert pid is not None, f"{path.stem} does not run"
            os.kill(pid, signal.SIGKILL)


def one(cluster_id: str, *, general: int = 1, gpu: int = 0, **changes: Any) -> EksCluster:
    made = cluster(
        group("general", *(instance(number) for number in range(general))),
        group("l4", *(instance(number + 50, "g6.xlarge") for number in range(gpu)), taints=(GPU_TAINT,)),
        cluster_id=cluster_id,
        name=cluster_id,
        addons=ADDONS,
        pod_identities=("default/default",),
        oidc_issuer=f"https://oidc.eks.us-east-1.amazonaws.com/id/{cluster_id}",
    )
    return replace(made, **changes)


def run(
    api: Api, name: str, script: str, *, image: str = PYTHON, labels: Mapping[str, str] | None = None, **container: Any
) -> None:
    container |= {"name": "main", "image": image, "command": ["python3", "-c", script]}
    affinity = {"key": "mlp.sandbox/simulated", "operator": "DoesNotExist"}
    required = {"nodeSelectorTerms": [{"matchExpressions": [affinity]}]}
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}},
    }
    api.create("/api/v1/namespaces/default/pods", {"metadata": {"name": name, "labels": labels or {}}, "spec": spec})


def log_of(api: Api, name: str) -> str:
    path = f"/api/v1/namespaces/default/pods/{name}"
    wait_for(f"pod {name} ends", lambda: api.get(path)["status"].get("phase") in ("Succeeded", "Failed"), 120)
    return str(api.get(f"{path}/log")["text"])
