"""Enforcer that keeps the rules of every real node in step with the NetworkPolicies, within a fraction of a second."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox import processes
from mlp_sandbox.clusters.control_plane.api import Api
from mlp_sandbox.clusters.network_policy.mirror import Mirror
from mlp_sandbox.clusters.network_policy.objects import Content, Namespace, Pod, Policy, Service
from mlp_sandbox.clusters.network_policy.rules import rules_of
from mlp_sandbox.clusters.network_policy.ruleset import REMOVED, AwsEndpoint, ruleset
from mlp_sandbox.clusters.nodes.real.layout import NodeFolder
from mlp_sandbox.clusters.nodes.real.plan import Plan

_LOOK_SECONDS = 1.0
"""Interval of checks for nodes that were added, removed or restarted."""

_TOGETHER_SECONDS = 0.05
"""Time to wait for further changes, because changes come in bursts."""

_RESYNC_SECONDS = 60.0
_NFT_SECONDS = 20.0


@dataclass(frozen=True)
class _Applied:
    """Rules that a node last received. `network` is the inode number of its network namespace."""

    network: int
    rules: str
    at: float


class Enforcer:
    """Enforcer of NetworkPolicy, in its own threads.

    Nodes stay unchanged until the mirrors have the whole cluster's objects.
    """

    def __init__(
        self, api: Api, nodes: Path, aws: AwsEndpoint, log: logging.Logger, wanted: Callable[[], bool]
    ) -> None:
        self.problem: str | None = None
        self._nodes = nodes
        self._aws = aws
        self._log = log
        self._wanted = wanted
        self._changed = threading.Event()
        self._ending = False
        self._applied: dict[str, _Applied] = {}
        self._policies = Mirror(api, "/apis/networking.k8s.io/v1/networkpolicies", Policy.read, self._changed)
        self._pods = Mirror(api, "/api/v1/pods", Pod.read, self._changed)
        self._namespaces = Mirror(api, "/api/v1/namespaces", Namespace.read, self._changed)
        self._services = Mirror(api, "/api/v1/services", Service.read, self._changed)
        self._mirrors = (self._policies, self._pods, self._namespaces, self._services)
        self._watching = False
        self._thread = threading.Thread(target=self._run, name="policies", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the enforcer. Nodes keep their rules until they are removed."""
        self._ending = True
        self._changed.set()
        for mirror in self._mirrors:
            mirror.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=_NFT_SECONDS)

    def _run(self) -> None:
        while not self._ending:
            if self._changed.wait(_LOOK_SECONDS):
                time.sleep(_TOGETHER_SECONDS)
                self._changed.clear()
            try:
                self._step()
            except Exception as error:  # whatever failed, later changes must still take effect
                self._note(f"NetworkPolicy is not enforced: {type(error).__name__}: {error}")

    def _step(self) -> None:
        wanted = self._wanted()
        if wanted and not self._watching:
            self._watching = True
            for mirror in self._mirrors:
                mirror.start()
        if wanted and not all(mirror.synced for mirror in self._mirrors):
            return
        content = self._content()
        problems: list[str] = []
        folders = [NodeFolder(path) for path in self._nodes.iterdir()] if self._nodes.is_dir() else []
        for folder in folders:
            try:
                self._bring_in_step(folder, content if wanted else None)
            except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
                if processes.running(folder.pid_file) is not None:
                    problems.append(f"node {folder.root.name}: NetworkPolicy is not enforced: {_words(error)}")
        self._note("; ".join(problems) or None)

    def _content(self) -> Content:
        return Content(
            policies=self._policies.objects(),
            pods=self._pods.objects(),
            namespaces=self._namespaces.objects(),
            services=self._services.objects(),
        )

    def _bring_in_step(self, folder: NodeFolder, content: Content | None) -> None:
        """Apply the rules of one node if they changed, or if the last application is older than `_RESYNC_SECONDS`."""
        name = folder.root.name
        pid = processes.running(folder.pid_file)
        if pid is None:
            self._applied.pop(name, None)
            return
        rules = REMOVED if content is None else self._rules(name, Plan.read(folder.plan).network.address, content)
        with Path(f"/proc/{pid}/ns/net").open("rb") as network:
            number = os.fstat(network.fileno()).st_ino
            before = self._applied.get(name)
            fresh = before is not None and time.monotonic() - before.at < _RESYNC_SECONDS
            if before and fresh and (before.network, before.rules) == (number, rules):
                return
            # A starting node is still in the network namespace of this machine, which must get no rules.
            if number == Path("/proc/self/ns/net").stat().st_ino:
                return
            descriptor = network.fileno()
            command = ["nsenter", f"--net=/proc/self/fd/{descriptor}", "--", "nft", "-f", "-"]
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                text=True,
                input=rules,
                timeout=_NFT_SECONDS,
                pass_fds=(descriptor,),
            )
        self._applied[name] = _Applied(number, rules, time.monotonic())

    def _rules(self, node: str, address: str, content: Content) -> str:
        mine = [(pod, rules_of(pod, content)) for pod in content.pods if pod.node == node]
        return ruleset(mine, node_address=address, aws=self._aws)

    def _note(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            self._log.error("%s", problem)
        self.problem = problem


def _words(error: Exception) -> str:
    said = getattr(error, "stderr", None)
    return " ".join(str(said or error).split())
