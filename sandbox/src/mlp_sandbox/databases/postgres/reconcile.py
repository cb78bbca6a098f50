"""Reconciliation of the PostgreSQL servers of one sandbox with its RDS instances, and supervision of the servers."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

from mlp_sandbox.contracts.desired import DatabaseInstance, DataPlaneStatus
from mlp_sandbox.databases.postgres import binaries, host_addresses, roles
from mlp_sandbox.databases.postgres.account import SERVICE_USER, service_account
from mlp_sandbox.databases.postgres.addresses import ADDRESS_POOL, has_address
from mlp_sandbox.databases.postgres.cluster import Cluster
from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.folders import check_owner, settle
from mlp_sandbox.databases.postgres.lifecycle import stop_all
from mlp_sandbox.databases.postgres.placement import place, recorded_addresses
from mlp_sandbox.databases.postgres.process import cluster_name, end_orphans, find_server, stop_server
from mlp_sandbox.databases.postgres.record import instance_folder
from mlp_sandbox.databases.postgres.settings import render_access, render_settings, render_user_map
from mlp_sandbox.databases.postgres.tls import CertificateAuthority

WATCH_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class PostgresStatus(DataPlaneStatus):
    """Status with the certificate file that verifies the server, and with deviations from the requested settings."""

    ca_bundle: Path | None = None
    note: str | None = None


class PostgresDataPlane:
    """Level-triggered data plane: every reconciliation, and the watch between them, starts from the actual state."""

    def __init__(self, home: Path, log: logging.Logger, *, pool: IPv4Network = ADDRESS_POOL) -> None:
        self._home = home
        self._log = log
        self._pool = pool
        self._tls = home / "tls"
        self._desired: dict[str, DatabaseInstance] = {}
        self._statuses: dict[str, PostgresStatus] = {}
        self._retry_at: dict[str, float] = {}
        self._looked = False
        self._work = threading.Lock()
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None

    def reconcile(self, desired: Sequence[DatabaseInstance]) -> None:
        """Start, change and stop servers until they match `desired`, and put away the data of unlisted instances."""
        with self._work:
            if self._closing.is_set():
                return
            self._authority()
            self._desired = {instance.resource_id: instance for instance in desired}
            settle(self._home, desired, self._log)
            for gone in self._statuses.keys() - self._desired.keys():
                self._statuses.pop(gone, None)
            for instance in desired:
                self._bring_up(instance)
            host_addresses.release(self._home, recorded_addresses(self._home))
            self._looked = True
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="postgres-watch", daemon=True)
                self._watcher.start()

    def status(self, resource_id: str) -> PostgresStatus:
        """Return the state of an instance, from memory."""
        return self._statuses.get(resource_id) or PostgresStatus(state="creating")

    @property
    def ca_bundle(self) -> Path:
        """Return the file with which clients verify servers; it exists from the first reconciliation on."""
        return CertificateAuthority.bundle_in(self._tls)

    def addresses_in(self, vpc_id: str) -> tuple[str, ...] | None:
        """Return the addresses that instances have in that VPC, from memory.

        The result is None before the first reconciliation ends.
        """
        if not self._looked:
            return None
        networks = {instance.resource_id: instance.network for instance in list(self._desired.values())}
        found = [
            status.address
            for resource_id, network in networks.items()
            if network is not None
            and network.vpc_id == vpc_id
            and (status := self.status(resource_id)).address is not None
            and any(IPv4Address(status.address) in IPv4Network(each) for each in network.subnets)
        ]
        return tuple(sorted(found))

    def close(self) -> None:
        """Stop every server of this sandbox and keep the data."""
        self._closing.set()
        with self._work:
            stop_all(self._home)
        if self._watcher is not None:
            self._watcher.join(timeout=WATCH_SECONDS * 2)

    def abandon(self) -> None:
        """Kill every server and remove its address, because the home folder is gone together with the data."""
        self._closing.set()
        with self._work:
            for instance in self._desired.values():
                end_orphans(cluster_name(instance_folder(self._home, instance.identifier).root), patience=0.0)
            host_addresses.release(self._home)

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            with self._work:
                for instance in list(self._desired.values()):
                    if not self._closing.is_set() and self._needs_care(instance):
                        settle(self._home, list(self._desired.values()), self._log)
                        self._bring_up(instance)

    def _needs_care(self, instance: DatabaseInstance) -> bool:
        if self.status(instance.resource_id).state == "failed":
            return time.monotonic() >= self._retry_at.get(instance.resource_id, 0.0)
        folder = instance_folder(self._home, instance.identifier)
        if not instance.running:
            return False
        if find_server(folder.data, cluster_name(folder.root)) is None:
            self._log.warning("%s: PostgreSQL ended without being asked to; starting it again", instance.identifier)
            return True
        address = self.status(instance.resource_id).address
        if address is None or has_address(address):
            return False
        self._log.warning("%s: its address %s was taken from this machine; adding it", instance.identifier, address)
        return True

    def _authority(self) -> CertificateAuthority:
        return CertificateAuthority(self._tls)

    def _bring_up(self, instance: DatabaseInstance) -> None:
        before = self.status(instance.resource_id)
        try:
            after = self._ensure(instance) if instance.running else self._stop(instance, before)
        except Exception as error:  # one instance's failure is its status and must not prevent others
            reason = " ".join(str(error).split()) or type(error).__name__
            after = PostgresStatus(state="failed", reason=reason)
            self._retry_at[instance.resource_id] = time.monotonic() + RETRY_SECONDS
            if before.reason != reason:
                unforeseen = not isinstance(error, DataPlaneError | OSError)
                self._log.error("%s: %s", instance.identifier, reason, exc_info=unforeseen)
        self._statuses[instance.resource_id] = after
        if after.note is not None and after.note != before.note:
            self._log.warning("%s: %s", instance.identifier, after.note)
        if after.state == "available" and before.state != "available":
            self._log.info("%s: available at %s:%s", instance.identifier, after.address, after.port)

    def _ensure(self, instance: DatabaseInstance) -> PostgresStatus:
        folder = instance_folder(self._home, instance.identifier)
        check_owner(self._home, folder, instance)
        install = binaries.choose_install(instance.engine_version, folder.major_on_disk(), binaries.installed())
        account = service_account()
        if not self._home.is_dir():
            raise DataPlaneError(f"{self._home} is not there any more: nothing is started in it")
        folder.root.mkdir(parents=True, exist_ok=True)
        cluster = Cluster(folder, install, account, self._log)
        running = cluster.server() is not None
        placement = place(self._home, self._pool, folder, instance, running=running)
        record = placement.record
        cluster.initialise()
        known = binaries.known_parameters(install.program("postgres"))
        settings = render_settings(
            instance.parameters,
            known=known,
            libraries=binaries.libraries(install.program("pg_config")),
            address=record.address,
            port=record.port,
        )
        authority = self._authority()
        files: dict[str, str | bytes] = {
            "pg_hba.conf": render_access(tls_forced=instance.tls_forced),
            "pg_ident.conf": render_user_map(
                {account.name, "root", SERVICE_USER} if account.switch else {account.name}
            ),
        }
        if not authority.accepts(folder.data / "server.key", folder.data / "server.crt", record.address):
            files["server.key"], files["server.crt"] = authority.issue(record.address)
        changed = cluster.install_files(settings.text, files)
        if not running:
            cluster.start()
        elif changed:
            cluster.reload()
        with cluster.administer() as connection:
            roles.ensure_master(connection, instance.master_username, instance.master_password)
            if record.created_database is None:
                name = instance.db_name or roles.DEFAULT_DATABASE
                roles.ensure_databases(connection, name, instance.master_username)
                folder.write_record(replace(record, created_database=name))
        notes = [binaries.substitution_note(instance.engine_version, install), placement.note, *settings.left_out]
        return PostgresStatus(
            state="available",
            address=record.address,
            port=record.port,
            ca_bundle=authority.bundle,
            note="; ".join(note for note in notes if note) or None,
        )

    def _stop(self, instance: DatabaseInstance, before: PostgresStatus) -> PostgresStatus:
        folder = instance_folder(self._home, instance.identifier)
        check_owner(self._home, folder, instance)
        record = folder.read_record()
        after = PostgresStatus(
            state="stopped", address=record.address if record else None, port=record.port if record else None
        )
        if before.state != "stopped":
            self._statuses[instance.resource_id] = after  # from now on, a start that is requested is not done yet
            stop_server(folder.data, cluster_name(folder.root))
            self._log.info("%s: stopped; its data are kept for the next start", instance.identifier)
        return after
