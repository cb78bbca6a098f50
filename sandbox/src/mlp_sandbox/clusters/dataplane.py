"""Data plane of the emulated EKS API: it starts, watches and stops one supervisor process per cluster."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlp_sandbox import processes
from mlp_sandbox.clusters import lifecycle
from mlp_sandbox.clusters.control_plane import pki, tokens
from mlp_sandbox.clusters.exchange import Desired, ProgramPaths, SupervisorStatus
from mlp_sandbox.clusters.folder import MARK, ClusterFolder, cluster_folder, existing_folders, write_if_changed
from mlp_sandbox.contracts.desired import ClusterStatus, EksCluster, PodIdentity, ReachableDatabases
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT, SOURCES
from mlp_sandbox.toolchain.kubernetes import find_kubernetes

WATCH_SECONDS = 1.0
# Environment variables that the supervisor inherits. Other variables can be settings of the emulator alone, and would
# redirect the programs of the supervisor.
_KEPT_VARIABLES = (
    *("PATH", "HOME", "LANG", "TMPDIR", "MLP_CACHE_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    # Image pulls use the proxies of this machine and the registry credentials of the user.
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"),
)


class EksDataPlane:
    """Data plane that runs the EKS clusters of one sandbox.

    `reconcile` records the desired clusters. A background thread brings the supervisors in step with them, and restarts
    supervisors that were killed.
    """

    def __init__(
        self,
        home: Path,
        log: logging.Logger,
        emulator_port: int,
        *,
        real_nodes: bool = True,
        databases: ReachableDatabases | None = None,
        find_programs: Callable[[], ProgramPaths | None] | None = None,
    ) -> None:
        self._home = home
        self._log = log
        self._port = emulator_port
        self._real_nodes = real_nodes
        self._databases = databases
        self._find_programs = find_programs or built_programs
        self._programs: ProgramPaths | None = None
        self._desired: dict[str, EksCluster] | None = None
        self._problems: dict[str, str] = {}
        self._started: set[Path] = set()
        self._changed = threading.Event()
        self._closing = False
        self._work = threading.Lock()
        self._thread: threading.Thread | None = None

    def reconcile(self, desired: Sequence[EksCluster]) -> None:
        """Start the listed clusters, and stop and remove all others.

        The method returns at once; a background thread does the work.
        """
        self._desired = {cluster.cluster_id: cluster for cluster in desired}
        self._changed.set()
        if self._thread is None and not self._closing:
            self._thread = threading.Thread(target=self._watch, name="clusters", daemon=True)
            self._thread.start()

    def status(self, cluster_id: str) -> ClusterStatus:
        """Return the cluster's status, as its supervisor last wrote it."""
        problem = self._problems.get(cluster_id)
        try:
            status = SupervisorStatus.read(cluster_folder(self._home, cluster_id))
        except SandboxError as error:
            status, problem = None, str(error)
        if status is not None:
            return status.for_emulator()
        return ClusterStatus(state="failed" if problem else "creating", reason=problem)

    def verify_pod_token(self, cluster_id: str, token: str) -> PodIdentity | None:
        """Return the identity of the pod that a token belongs to.

        Returns:
            None unless this cluster signed the token for EKS Pod Identity.
        """
        cluster = (self._desired or {}).get(cluster_id)
        if cluster is None:
            return None
        try:
            key = pki.token_public_key(cluster_folder(self._home, cluster_id).pki).read_bytes()
        except FileNotFoundError:
            return None
        return tokens.verify(token, key, cluster.oidc_issuer)

    def close(self) -> None:
        """Stop every cluster and keep its data."""
        self._closing = True
        self._changed.set()
        if self._thread is not None:
            self._thread.join(timeout=lifecycle.STOP_SECONDS)
        with self._work:
            lifecycle.stop_all(self._home)

    def abandon(self) -> None:
        """Start no more supervisors, because the sandbox's home folder no longer exists."""
        self._closing = True
        self._changed.set()

    def _watch(self) -> None:
        while not self._closing:
            self._changed.wait(WATCH_SECONDS)
            self._changed.clear()
            with self._work:
                if not self._closing and self._desired is not None:
                    self._bring_in_step(dict(self._desired))

    def _bring_in_step(self, desired: dict[str, EksCluster]) -> None:
        for cluster in desired.values():
            try:
                self._ensure(cluster)
                self._problems.pop(cluster.cluster_id, None)
            except (SandboxError, OSError) as error:
                if self._problems.get(cluster.cluster_id) != str(error):
                    self._log.error("cluster %s: %s", cluster.name, error)
                self._problems[cluster.cluster_id] = str(error)
        gone = [folder for folder in existing_folders(self._home) if folder.root.name not in desired]
        if gone:
            with ThreadPoolExecutor(max_workers=len(gone)) as pool:
                list(pool.map(self._remove, gone))

    def _addresses(self, folder: ClusterFolder, vpc_id: str) -> tuple[str, ...]:
        """Return the addresses of the databases that the cluster reaches.

        While these are not yet known, the addresses of the previous desired state stay, so that a restart cuts off no
        pod.
        """
        if self._databases is None:
            return ()
        found = self._databases.addresses_in(vpc_id)
        if found is not None:
            return found
        return Desired.read(folder.desired).databases if folder.desired.exists() else ()

    def _ensure(self, cluster: EksCluster) -> None:
        folder = cluster_folder(self._home, cluster.cluster_id)
        self._programs = self._programs or self._find_programs()
        if self._programs is None:
            raise SandboxError("the programs of Kubernetes are not built; run `mlp setup`")
        if not self._home.is_dir():
            raise SandboxError(f"{self._home} is not there any more: nothing is started in it")
        if folder.root in self._started and not folder.supervisor_pid.exists():
            raise SandboxError(f"somebody is deleting {folder.root}: nothing is started in it")
        folder.make()
        wanted = Desired(
            cluster=cluster,
            emulator_port=self._port,
            programs=self._programs,
            real_nodes=self._real_nodes,
            databases=self._addresses(folder, cluster.vpc_id),
            database_ca=str(self._databases.ca_bundle) if self._databases else None,
        )
        write_if_changed(folder.desired, wanted.text())
        if processes.running(folder.supervisor_pid) is None:
            if not any(processes.running(path) for path in folder.run.glob("*.pid")):
                folder.status.unlink(missing_ok=True)  # it describes an earlier run
            self._log.info("cluster %s: starting its supervisor", cluster.name)
            environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
            environment |= {"PYTHONPATH": str(SOURCES), MARK: str(folder.root.resolve())}
            processes.start(
                [sys.executable, "-m", "mlp_sandbox.clusters", "--home", str(folder.root)],
                pid_file=folder.supervisor_pid,
                log=folder.log / "supervisor.log",
                cwd=PROJECT,
                env=environment,
            )
        self._started.add(folder.root)

    def _remove(self, folder: ClusterFolder) -> None:
        try:
            self._log.info("cluster %s: deleted; it is stopped and forgotten", folder.root.name)
            self._started.discard(folder.root)
            lifecycle.stop(folder)
            shutil.rmtree(folder.root)
        except (SandboxError, OSError):
            self._log.exception("cluster %s: was deleted but could not be stopped", folder.root.name)


def built_programs() -> ProgramPaths | None:
    """Return the Kubernetes programs in the user's cache, or None unless all of them are built."""
    tools = find_kubernetes()
    if tools is None:
        return None
    return ProgramPaths(version=tools.version, paths={name: str(path) for name, path in tools.programs.items()})
