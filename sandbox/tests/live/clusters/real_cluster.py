"""A control plane in a network namespace with an image registry; tests add real nodes to it."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from mlp_sandbox.clusters.control_plane.api import Api
from mlp_sandbox.clusters.control_plane.component import Command, Component
from mlp_sandbox.clusters.control_plane.control_plane import ControlPlane, ControlPlaneSettings, Ports, listens
from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.clusters.images import ensure_images, registry_command
from mlp_sandbox.clusters.images.pulls import ImagePulls
from mlp_sandbox.clusters.model import ClusterAccess, NodeSpec
from mlp_sandbox.clusters.network import network
from mlp_sandbox.clusters.nodes.real import RealNode, cgroups
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.toolchain import ensure_kubernetes
from mlp_sandbox.toolchain.kubernetes import KubernetesTools

Found = TypeVar("Found")
PYTHON = "public.ecr.aws/docker/library/python:3.11-slim"
IMAGES = ("pause", "coredns", "python")
_REGISTRY_PORT = 5000


def wait_for(what: str, check: Callable[[], Found | None], seconds: float = 60) -> Found:
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)
    return found


@dataclass
class RealCluster:
    folder: ClusterFolder
    plane: ControlPlane
    access: ClusterAccess
    tools: KubernetesTools
    nodes: dict[str, RealNode] = field(default_factory=dict[str, RealNode])

    @property
    def api(self) -> Api:
        return self.plane.api

    def spec(self, number: int, **changes: Any) -> NodeSpec:
        name = f"ip-10-91-0-{number + 10}.ec2.internal"
        spec = NodeSpec(
            name=name,
            provider_id=f"aws:///us-east-1a/i-{number:017x}",
            private_ip=f"10.91.0.{number + 10}",
            instance_type="m6i.large",
            zone="us-east-1a",
            node_group="general",
            labels={
                "kubernetes.io/hostname": name,
                "eks.amazonaws.com/nodegroup": "general",
                "topology.kubernetes.io/zone": "us-east-1a",
                "node-restriction.kubernetes.io/set-by-others": "true",
            },
            taints=(),
            cpus=8,
            memory_mib=32768,
            max_pods=29,
            accelerators={},
            real=True,
            pod_cidr=f"100.64.{number}.0/24",
        )
        return replace(spec, **changes)

    def place(self, spec: NodeSpec) -> Path:
        return self.folder.nodes / spec.name

    def node(self, spec: NodeSpec) -> RealNode:
        """Start a node and wait until it is Ready in the API."""
        node = RealNode(self.place(spec), spec, self.access, self.tools)
        node.start()
        wait_for(f"{spec.name} is Ready", lambda: self.ready(spec.name))
        self.nodes[spec.name] = node
        return node

    def ready(self, name: str) -> bool:
        found = self.api.find(f"/api/v1/nodes/{name}") or {}
        conditions = found.get("status", {}).get("conditions") or []
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        command = [str(self.tools.path("kubectl")), "--kubeconfig", str(self.plane.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, input=stdin, timeout=60)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def pod(self, name: str) -> dict[str, Any]:
        return self.api.get(f"/api/v1/namespaces/default/pods/{name}")

    def run(self, name: str, script: str, *, node: str | None = None, **changes: Any) -> None:
        """Start a pod of the Python image that never restarts."""
        container: dict[str, Any] = {"name": "main", "image": PYTHON, "command": ["python3", "-c", script]}
        container |= changes.pop("container", {})
        spec: dict[str, Any] = {"containers": [container], "restartPolicy": "Never", **changes}
        spec |= {"terminationGracePeriodSeconds": 1}
        if node:
            spec["nodeSelector"] = {"kubernetes.io/hostname": node}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}
        self.api.create("/api/v1/namespaces/default/pods", body)

    def phase(self, name: str, *wanted: str) -> str | None:
        phase: str = self.pod(name)["status"].get("phase", "Pending")
        return phase if phase in wanted else None

    def log_of(self, name: str) -> str:
        """Wait until the pod ends, and return its log."""
        wait_for(f"pod {name} ends", lambda: self.phase(name, "Succeeded", "Failed"), 90)
        return self.kubectl("logs", name)


@contextmanager
def real_cluster(folder: Path) -> Generator[RealCluster]:
    tools = ensure_kubernetes(lambda _line: None)
    ensure_images(lambda _line: None, IMAGES)
    place = ClusterFolder(folder / "cluster")
    place.make()
    made = network.ensure(place, "10.91.0.0/16")
    settings = ControlPlaneSettings(
        name="nodes",
        issuer="https://oidc.test/nodes",
        service_cidr="172.20.0.0/16",
        address=made.address,
        advertised=made.gateway,
        ports=Ports(),
        enter=made.enter(),
        parts=("kube-controller-manager", "kube-scheduler"),
    )
    plane = ControlPlane(place, settings, tools)
    registry = Component(
        place,
        Command(
            name="registry",
            arguments=(*made.enter(), *registry_command(f"{made.gateway}:{_REGISTRY_PORT}", place.etc)),
            ready=lambda pid: listens(pid, _REGISTRY_PORT),
        ),
    )
    access = ClusterAccess(
        cluster_id="nodes",
        name="nodes",
        region="us-east-1",
        server=f"https://{made.gateway}:443",
        ca=plane.authority.paths.certificate,
        netns=made.netns,
        bridge=network.BRIDGE,
        gateway=made.gateway,
        node_prefix_length=made.prefix_length,
        pod_cidr="100.64.0.0/16",
        service_cidr="172.20.0.0/16",
        dns_address="172.20.0.10",
        aws_endpoint=f"http://{made.host_address}:9",
        registry=f"{made.gateway}:{_REGISTRY_PORT}",
        issue=plane.authority.client,
    )
    cluster = RealCluster(place, plane, access, tools)
    pulls = ImagePulls(logging.getLogger("pulls"))
    pulls.start(made.netns, made.gateway)
    try:
        plane.wait(120)

        def registry_runs() -> bool:
            registry.step()
            return registry.ready

        wait_for("the registry", registry_runs)
        wait_for("the service account", lambda: plane.api.list("/api/v1/namespaces/default/serviceaccounts"))
        yield cluster
    finally:
        for path in place.nodes.iterdir():
            RealNode.clean(path)
        pulls.stop()
        registry.stop()
        plane.stop()
        network.remove(place)


@contextmanager
def unchanged_machine(cluster: RealCluster, spec: NodeSpec) -> Generator[None]:
    """Assert that everything this node could leave behind is unchanged after the block.

    Changes that others make on the machine do not count.
    """

    def lines(*command: str, having: str) -> list[str]:
        text = subprocess.check_output(command, text=True)
        return sorted(line for line in text.splitlines() if having in line)

    def picture() -> dict[str, object]:
        group = NodeFolder(cluster.place(spec)).cgroup
        netns = ("ip", "-n", cluster.access.netns, "-o", "-br")
        return {
            "mounts": lines("cat", "/proc/self/mounts", having=str(cluster.folder.root)),
            "pods' namespaces": lines("ls", "/run/netns", having="cni-"),
            "links": lines("ip", "-o", "-br", "link", having="veth"),
            "rules": lines("nft", "list", "tables", having="kube-proxy"),
            "links of the cluster": lines(*netns, "link", having=""),
            "routes of the cluster": lines(*netns, "route", having=""),
            "groups": [str(each.mount) for each in cgroups.hierarchies() if (each.mount / group).exists()],
        }

    before = picture()
    yield
    wait_for("the machine is as before", lambda: picture() == before, 15)
