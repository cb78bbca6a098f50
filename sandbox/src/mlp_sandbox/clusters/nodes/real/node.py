"""Real node from the view of the cluster's supervisor: start, adoption, replacement of a broken node, and stop."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from mlp_sandbox import owners, processes
from mlp_sandbox.clusters.model import ClusterAccess, NodeSpec
from mlp_sandbox.clusters.nodes.real import cgroups, configuration, mounts, network
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.clusters.nodes.real.plan import Plan
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT

START_SECONDS = 60.0
_REPAIR_SECONDS = 20.0
_STOP_SECONDS = 15.0
_FRESH_SECONDS = 20.0


class RealNode:
    """Real node.

    Its processes live on when the process that created this object ends, and are found again by `folder`.
    """

    def __init__(self, folder: Path, spec: NodeSpec, access: ClusterAccess, tools: configuration.Programs) -> None:
        self._folder = NodeFolder(folder)
        self._spec = spec
        self._access = access
        self._tools = tools

    def start(self) -> None:
        """Start the node.

        A node that runs with the same plan stays. A node that cannot repair itself or has another plan is replaced.

        Raises SandboxError if the node does not start. The message contains the end of its log, which is in
        `<folder>/log`.
        """
        plan = configuration.plan(self._spec, self._access, self._folder, self._tools)
        if processes.running(self._folder.pid_file) is not None:
            if self._runs(plan) and self._wait(_REPAIR_SECONDS):
                return
            self.stop()
        self.clean(self._folder.root)
        self._folder.make()
        configuration.write(self._spec, self._access, self._folder, overlay=mounts.overlay_works(self._folder.root))
        plan.write(self._folder.plan)
        owners.note(self._folder.cgroup, self._folder.root)
        cgroups.create(self._folder.cgroup)
        log = self._folder.log / "init.log"
        log.unlink(missing_ok=True)
        processes.start(
            [sys.executable, "-m", "mlp_sandbox.clusters.nodes.real.launch", str(self._folder.root)],
            pid_file=self._folder.pid_file,
            log=log,
            cwd=PROJECT,
            env=os.environ,
        )
        if not self._wait(START_SECONDS):
            said = log.read_text(errors="replace").strip().splitlines()[-3:]
            self.stop()
            raise SandboxError(
                f"node {self._spec.name} does not start: {' '.join(said) or 'see its logs'} ({self._folder.log})"
            )

    def running(self) -> bool:
        """Return True if all processes of the node run."""
        if processes.running(self._folder.pid_file) is None:
            return False
        try:
            age = time.time() - self._folder.state.stat().st_mtime
            state = json.loads(self._folder.state.read_text())
        except (OSError, ValueError):
            return False
        return age < _FRESH_SECONDS and bool(state) and all(pid is not None for pid in state.values())

    def set_pod_identity(self, enabled: bool) -> None:
        """Enable or disable the Pod Identity agent, which is an add-on on EKS. Takes effect within a second."""
        if enabled:
            self._folder.root.mkdir(parents=True, exist_ok=True)
            self._folder.pod_identity_switch.touch()
        else:
            self._folder.pod_identity_switch.unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop the node, with a grace period for pods.

        Containers, namespaces, mounts and links are removed; images and logs stay.
        """
        self.clean(self._folder.root)

    @staticmethod
    def clean(folder: Path) -> None:
        """Stop the node of a folder and remove its leftovers, whichever process started it."""
        node = NodeFolder(folder)
        pid = processes.running(node.pid_file)
        if pid is not None:
            _end(pid)
        node.pid_file.unlink(missing_ok=True)
        node.state.unlink(missing_ok=True)
        cgroups.remove(node.cgroup)
        owners.forget(node.cgroup)
        try:
            plan = Plan.read(node.plan)
        except (OSError, ValueError, KeyError, TypeError):
            return  # it never started
        network.disconnect(plan.network)

    def _runs(self, plan: Plan) -> bool:
        """Return True if the running node was started with this plan."""
        try:
            return Plan.read(self._folder.plan).fingerprint == plan.fingerprint
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.running():
            if time.monotonic() > deadline or processes.running(self._folder.pid_file) is None:
                return False
            time.sleep(0.1)
        return True


def _end(pid: int) -> None:
    """Send SIGTERM to the node's first process, which is a child of `pid`. After a time-out, kill both."""
    try:
        outside = psutil.Process(pid)
        for first in outside.children():
            first.send_signal(signal.SIGTERM)
        outside.wait(_STOP_SECONDS)
    except psutil.TimeoutExpired:
        os.kill(pid, signal.SIGKILL)
    except psutil.NoSuchProcess:
        pass
