"""Helpers for tests of the kubernetes plugin: a program, and a real API server that tests also query directly."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import textwrap
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlp_sandbox.engine.install import install
from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.providers.kubernetes.kubeconfig import load, target
from mlp_sandbox.providers.kubernetes.readiness.judgement import is_true
from mlp_sandbox.testing.box import Box, Program, eventually, free_port

HEAD = """
import json
import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions

def options(**more):
    return ResourceOptions(provider=provider, **more)

def labelled(name, **spec):
    # A pod template that Pod Security 'restricted' takes.
    container = {"name": "main", "image": spec.pop("image", "registry.example/app:1"), "securityContext": {
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}, **spec.pop("container", {})}
    security = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], "securityContext": security,
            **spec}}
"""
POD = Kind("", "v1", "Pod")
_STANDING = ("same", "read", "refresh")


@dataclass(frozen=True)
class ClusterProgram(Program):
    """A program whose `provider` is the test's cluster, with its own namespace in `NAMESPACE`."""

    kubeconfig: Path = Path()
    namespace: str = ""

    def write(self, source: str, provider: str = "") -> None:
        head = f"{HEAD}\n{provider or self.provider()}\nNAMESPACE = {self.namespace!r}\n"
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(source))

    def provider(self, more: str = "", kubeconfig: str = "") -> str:
        """Return the program line that creates the provider, with further inputs."""
        return f'provider = k8s.Provider("cluster", kubeconfig={kubeconfig or str(self.kubeconfig)!r}, {more})'

    def steps(self, *arguments: str) -> dict[str, str]:
        """Return the changes that a preview plans, by logical name, without unchanged resources."""
        done = self.box.run(
            *("pulumi", "preview", "--json", "--non-interactive", "--stack", "test", *arguments), cwd=self.folder
        )
        steps = json.loads(done.stdout)["steps"]
        named = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in steps if step["op"] not in _STANDING}
        return {name: "replace" if "replace" in op else op for name, op in named.items()}


def cluster_of(kubeconfig: Path) -> Cluster:
    return Cluster(target(*load(str(kubeconfig))))


def make(cluster: Cluster, obj: Object) -> Object:
    """Apply an object as another user would: with another field manager."""
    group, _, version = obj["apiVersion"].rpartition("/")
    return cluster.apply(Kind(group, version, obj["kind"]), obj, "somebody-else", force=True).json()


def make_namespace(cluster: Cluster, name: str) -> None:
    make(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = Kind("", "v1", "ServiceAccount")
    eventually(lambda: cluster.get(account, name, "default"), f"the default service account of {name}")


def set_status(cluster: Cluster, kind: Kind, obj: Object, status: dict[str, Any]) -> None:
    """Write the status that a kubelet or a controller would report."""
    metadata = {"name": obj["metadata"]["name"], "namespace": obj["metadata"]["namespace"]}
    body = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "status": status}
    path = f"{cluster.path(kind, metadata['namespace'], metadata['name'])}/status"
    cluster.connection.request("PATCH", path, {"fieldManager": "kubelet", "force": "true"}, body)


def ready_node(cluster: Cluster, name: str) -> bool:
    node = cluster.get(Kind("", "v1", "Node"), "", name)
    return bool(node) and is_true(node, "Ready")


def pods(cluster: Cluster, namespace: str) -> list[Object]:
    return cluster.find(POD, namespace)


@contextmanager
def running(program: Program, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """Run an engine command in the background while the test acts on it."""
    command = ("pulumi", *arguments, "--stack", "test", "--non-interactive", "--color=never")
    process = program.box.start(*command, cwd=program.folder)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def engine_only(box: Box) -> Box:
    """Return the engine with its plugins, without an emulated account: no process runs between its commands."""
    box.instance.save()
    install(box.instance, box.binary)
    return box


class Doorway:
    """A proxy to the API server that a test can shut: clients see a server that is killed and comes back."""

    def __init__(self, server: str) -> None:
        host, port = server.removeprefix("https://").split(":")
        self._to = (host, int(port))
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self.port = free_port()
        self.open()

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Break open connections in mid-transfer and refuse new ones."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for each in self._open:
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._open.clear()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(self._to)
                self._open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
