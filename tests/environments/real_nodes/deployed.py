"""The dev environment in a sandbox whose nodes run containers, and helpers that inspect its cluster."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from mlp_sandbox import processes
from mlp_sandbox.clusters.control_plane.api import Api, ApiError
from mlp_sandbox.clusters.folder import MARK, ClusterFolder, existing_folders
from mlp_sandbox.clusters.host import HostState
from mlp_sandbox.clusters.model import Certificate
from mlp_sandbox.databases import describe
from mlp_sandbox.testing.box import Box, eventually, new_program
from sandbox.tests.live.providers.clusters import ClusterProgram
from tests.environments.environment_copy import EnvironmentCopy

STACK, CLUSTER = "dev", "ml-platform-dev-eks"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Deployed:
    """The deployed environment; `host` is the machine's state before the sandbox existed."""

    copy: EnvironmentCopy
    host: HostState

    @property
    def box(self) -> Box:
        return self.copy.box

    @functools.cached_property
    def outputs(self) -> dict[str, Any]:
        done = self.box.run("pulumi", "stack", "output", "--stack", STACK, "--json", cwd=self.copy.folder)
        return dict(json.loads(done.stdout))

    @property
    def folder(self) -> ClusterFolder:
        (found,) = existing_folders(self.box.instance.aws)
        return found

    @property
    def api(self) -> Api:
        """Return a client with the API server's own administrator, for tests that only inspect."""
        pki = self.folder.pki
        certificate = Certificate(certificate=pki / "admin.crt", key=pki / "admin.key")
        return Api(self.outputs["cluster_endpoint"], pki / "ca.crt", certificate)

    def list(self, path: str, **query: str) -> list[dict[str, Any]]:
        """List objects; the result is empty while the API server restarts, so that callers poll again."""
        try:
            return self.api.list(path, **query)
        except ApiError as error:
            if error.status:
                raise
            return []

    def nodes(self, group: str) -> list[dict[str, Any]]:
        return self.list("/api/v1/nodes", labelSelector=f"eks.amazonaws.com/nodegroup={self.group(group)}")

    def group(self, pool: str) -> str:
        """Return the node group's full name, whose suffix Pulumi generated."""
        return self.copy.id("aws:eks/nodeGroup:NodeGroup", f"nodes-{pool}-group").rpartition(":")[2]

    def pods(self, namespace: str, labels: str = "") -> list[dict[str, Any]]:
        return self.list(f"/api/v1/namespaces/{namespace}/pods", labelSelector=labels)

    def log_of_job(self, namespace: str, name: str, seconds: float = 240) -> str:
        """Return the log of a job once it completes; fail the test when the job fails."""
        path = f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}"

        def ended() -> set[str]:
            conditions = (self.api.get(path).get("status") or {}).get("conditions") or []
            return {each["type"] for each in conditions if each["status"] == "True"} & {"Complete", "Failed"}

        how = eventually(ended, f"job {name} ends; its pods: {self.told(namespace)}", seconds)
        (pod,) = self.pods(namespace, f"job-name={name}")
        log = str(self.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/log")["text"])
        assert how == {"Complete"}, f"job {name} failed:\n{log}"
        return log

    def told(self, namespace: str) -> str:
        """Return the latest events, for the message of a test that times out."""
        events = self.list(f"/api/v1/namespaces/{namespace}/events")
        return "; ".join(f"{each['involvedObject']['name']}: {each.get('message')}" for each in events[-8:])

    def restarts(self) -> dict[str, int]:
        """Return the number of restarts of every running pod of the environment itself, by uid."""
        pods = [pod for namespace in ("kube-system", "cluster-services") for pod in self.pods(namespace)]
        return {
            pod["metadata"]["uid"]: sum(each["restartCount"] for each in pod["status"].get("containerStatuses") or [])
            for pod in pods
        }

    def settled(self) -> bool:
        """Return whether every pod that should run is ready."""
        pods = [pod for pod in self.list("/api/v1/pods") if pod["status"].get("phase") not in ("Succeeded", "Failed")]
        return bool(pods) and all(is_ready(pod) for pod in pods)

    def run_as(self, principal: Mapping[str, str], *command: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command as another user; `principal` holds the variables with its credentials."""
        return self.box.run("env", *(f"{name}={value}" for name, value in principal.items()), *command, ok=ok)

    def kill(self, part: str) -> int:
        """Kill a process of the control plane by the name of its pid file; returns the pid."""
        pid = processes.running(self.folder.run / f"{part}.pid")
        assert pid is not None, f"{part} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    def all_pids(self) -> set[int]:
        """Return every process of the sandbox: those marked in their environment, and their descendants.

        Databases outlive the emulator that started them, and carry a different mark.
        """
        home = str(self.box.instance.home)
        found = {each.pid for each in describe(self.box.instance.aws) if each.pid is not None}
        for process in psutil.process_iter():
            try:
                environment, command = process.environ(), process.cmdline()
                ours = environment.get(MARK, "").startswith(home) or any(home in word for word in command)
                if ours or environment.get("PGDATA", "").startswith(home):
                    found |= {process.pid, *(child.pid for child in process.children(recursive=True))}
            except psutil.Error:
                continue
        return found - {os.getpid()}

    @contextmanager
    def namespace(self, name: str = "", level: str = "restricted") -> Generator[str]:
        """Yield a new namespace; its deletion starts afterwards."""
        name = name or f"test-{uuid4().hex[:8]}"
        labels = {"pod-security.kubernetes.io/enforce": level}
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        eventually(lambda: self.api.find(account), f"the default service account of {name}")
        try:
            yield name
        finally:
            self.api.delete(f"/api/v1/namespaces/{name}")

    @contextmanager
    def created(self, path: str, manifest: Manifest) -> Generator[str]:
        """Create an object and yield its name; delete it with its dependents afterwards."""
        name = str(manifest["metadata"]["name"])
        self.api.create(path, manifest)
        try:
            yield name
        finally:
            self.api.delete(f"{path}/{name}", {"propagationPolicy": "Background"})


@contextmanager
def cluster_program(deployed: Deployed, folder: Path) -> Generator[ClusterProgram]:
    """Yield a small program that deploys into its own namespace in the environment's cluster."""
    with deployed.namespace() as namespace:
        made = new_program(deployed.box, folder / namespace)
        program = ClusterProgram(deployed.box, made.folder, deployed.box.instance.kubeconfig, namespace)
        try:
            yield program
        finally:
            program.pulumi("destroy", "--yes", "--skip-preview", ok=False)
            deployed.box.pulumi("stack", "rm", "test", "--yes", "--force", cwd=program.folder, ok=False)


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def works(action: Callable[[], Any]) -> bool:
    """Return whether an action succeeds, for polling until the API server accepts it or is reachable."""
    try:
        action()
    except ApiError:
        return False
    return True


def write_yaml(folder: Path, *objects: Manifest) -> Path:
    """Write a file for `kubectl apply -f` and `mlp placement -f`; JSON is valid YAML."""
    path = folder / "manifest.yaml"
    path.write_text("\n---\n".join(json.dumps(each) for each in objects))
    return path
