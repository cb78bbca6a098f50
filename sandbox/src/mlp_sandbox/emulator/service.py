"""The running emulator: account, data planes and health page behind one handler."""

import logging
import os
import threading
from pathlib import Path

from mlp_sandbox.contracts.desired import ReachableDatabases
from mlp_sandbox.emulator import access_log_delivery, clusters, databases, health, kubernetes_access, pod_tokens
from mlp_sandbox.emulator.account import Account
from mlp_sandbox.emulator.authorization import anonymous
from mlp_sandbox.emulator.clusters import Clusters
from mlp_sandbox.emulator.databases import Databases
from mlp_sandbox.emulator.faults import Fault, fault_reply
from mlp_sandbox.emulator.identify import Identity, identify
from mlp_sandbox.emulator.journal import Journal
from mlp_sandbox.emulator.late_effects import LateEffects
from mlp_sandbox.emulator.messages import Reply, Request
from mlp_sandbox.emulator.services import ecr_images

_log = logging.getLogger(__name__)


class Service:
    """One account in one home directory."""

    def __init__(
        self,
        *,
        home: Path,
        name: str,
        dataplanes: bool,
        real_nodes: bool = True,
        port: int = 0,
        late: LateEffects | None = None,
    ) -> None:
        self._name = name
        self._late = late or LateEffects("at-once")
        self._settled = threading.Event()
        self._journal = Journal(home / "journal")
        self.account = Account(self._journal)
        anonymous.install()
        access_log_delivery.install()
        self._databases = Databases(self.account.lock)
        databases.CURRENT = self._databases
        self._clusters = Clusters(self.account.lock)
        clusters.CURRENT = self._clusters
        ecr_images.CURRENT = None
        if dataplanes:
            from mlp_sandbox.databases.postgres import PostgresDataPlane

            postgres = PostgresDataPlane(home, logging.getLogger("mlp_sandbox.databases.postgres"))
            self._databases.register(postgres)
            self._register_clusters(home, port, postgres, real_nodes=real_nodes)

    def start(self) -> None:
        """Replay the journal and start the data planes. The health page reports the progress."""
        self.account.replay()
        with self.account.lock:
            self._late.begin()
        self.account.on_write(self._written)
        self._databases.start()
        self._clusters.start()
        self._settled.set()

    def handle(self, request: Request) -> Reply:
        """Answer one HTTP request."""
        if request.path.startswith(kubernetes_access.PREFIX):
            return kubernetes_access.answer(request, ready=self.account.ready)
        if request.path.startswith(health.PREFIX):
            return health.answer(self.account, request, settled=self._settled.is_set(), name=self._name)
        if request.path.startswith("/moto-api"):
            return fault_reply(
                identify(request),
                Fault("AccessDenied", "moto's own control pages are closed: they would change state unrecorded.", 403),
            )
        return self.account.handle(pod_tokens.attest(request, self._clusters))

    def close(self) -> None:
        """Stop the data planes and close the journal."""
        self._clusters.close()
        self._databases.close()
        self._journal.close()

    def abandon(self) -> None:
        """Stop starting and repairing processes. The home is gone, and the data planes need it to stop in order."""
        self._clusters.abandon()
        self._databases.abandon()

    def _register_clusters(self, home: Path, port: int, databases: ReachableDatabases, *, real_nodes: bool) -> None:
        from mlp_sandbox.clusters.dataplane import EksDataPlane

        log = logging.getLogger("mlp_sandbox.clusters")
        runs_containers = real_nodes and os.geteuid() == 0
        ecr_images.CURRENT = ecr_images.StoredImages() if runs_containers else ecr_images.EveryTag()
        self._clusters.register(EksDataPlane(home, log, port, real_nodes=real_nodes, databases=databases))

    def _written(self, identity: Identity) -> None:
        self._late.written(identity.service)
        if identity.service in {"rds", "secretsmanager"}:
            self._databases.request_reconcile()
        if identity.service in {"eks", "autoscaling", "ec2", "iam"}:
            self._clusters.request_reconcile()
