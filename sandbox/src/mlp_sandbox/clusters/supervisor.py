"""Supervisor of one cluster: it brings up the state in `desired.json`, repairs failures, and reports in `status.json`.

When the supervisor is killed, the processes that it started live on, and the next supervisor adopts them. On SIGTERM it
stops all of them.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass

from mlp_sandbox import orphans
from mlp_sandbox.clusters import lifecycle
from mlp_sandbox.clusters.addons import AddonKeeper
from mlp_sandbox.clusters.addons.keeper import POD_IDENTITY_AGENT, AddonPlace
from mlp_sandbox.clusters.control_plane import admission
from mlp_sandbox.clusters.control_plane.api import ApiError
from mlp_sandbox.clusters.control_plane.component import Component
from mlp_sandbox.clusters.control_plane.control_plane import ControlPlane
from mlp_sandbox.clusters.control_plane.forwarder import Forwarder
from mlp_sandbox.clusters.control_plane.ports import LOOPBACK
from mlp_sandbox.clusters.exchange import Desired, PartStatus, SupervisorStatus
from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.clusters.images.pulls import ImagePulls
from mlp_sandbox.clusters.network import database_routes, pod_groups
from mlp_sandbox.clusters.network_policy import ADDON as VPC_CNI
from mlp_sandbox.clusters.network_policy import AwsEndpoint, Enforcer, enforced
from mlp_sandbox.clusters.nodes.nodes import wanted_nodes
from mlp_sandbox.clusters.nodes.reconciler import NodeReconciler
from mlp_sandbox.clusters.place import Place, access, image_registry, prepare, real_nodes_possible
from mlp_sandbox.clusters.repeated import Repeated
from mlp_sandbox.clusters.storage.ebs import Ebs
from mlp_sandbox.clusters.storage.volumes import ADDON as EBS_CSI_DRIVER
from mlp_sandbox.clusters.storage.volumes import Volumes
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.presence import Presence

START_SECONDS = 180.0
_STEP_SECONDS = 0.5
_BUSY_SECONDS, _CALM_SECONDS = 1.0, 5.0
_VOLUMES_SECONDS = 2.0
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class _Parts:
    place: Place
    plane: ControlPlane
    registry: Component | None
    nodes: NodeReconciler
    addons: AddonKeeper
    volumes: Repeated
    policies: Enforcer | None


class Supervisor:
    """Supervisor of one cluster. It repeats `_step` until it is stopped."""

    def __init__(self, folder: ClusterFolder, log: logging.Logger) -> None:
        self._folder = folder
        self._log = log
        self._desired = Desired.read(folder.desired)
        self._desired_at = folder.desired.stat().st_mtime_ns
        self._ending = threading.Event()
        self._presence = Presence(folder.root, folder.desired, folder.supervisor_lock)
        self._began = time.monotonic()
        self._active = False
        self._problem: str | None = None
        self._content_due = 0.0
        self._admitted: tuple[str, ...] | None = None
        self._routed: tuple[str, ...] | None = None
        self._written: SupervisorStatus | None = None
        self._parts: _Parts | None = None
        self._forwarder: Forwarder | None = None
        self._pulls: ImagePulls | None = None

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ending.set())
        while not self._ending.is_set() and not self._presence.lost:
            pause = _STEP_SECONDS
            try:
                self._step()
                self._note(None)
            except (SandboxError, OSError) as error:
                self._note(str(error))
                pause = _RETRY_SECONDS
            except Exception as error:  # whatever failed, the cluster must not stay unattended
                self._log.exception("unforeseen")
                self._note(f"{type(error).__name__}: {error}")
                pause = _RETRY_SECONDS
            if not self._presence.lost:
                self._write_status()
            self._ending.wait(pause)
        if self._presence.lost:
            self._leave()
        else:
            self._stop()

    def _step(self) -> None:
        self._read_desired()
        parts = self._parts = self._parts or self._set_up()
        if parts.place.network is not None and self._routed != self._desired.databases:
            database_routes.bring_in_step(parts.place.network, self._desired.databases)
            self._routed = self._desired.databases
        parts.plane.step()
        if parts.registry is not None:
            parts.registry.step()
        if parts.plane.serves and time.monotonic() >= self._content_due:
            calm = self._bring_in_step(parts)
            self._content_due = time.monotonic() + (_CALM_SECONDS if calm else _BUSY_SECONDS)
        if parts.plane.ready and self._admitted is not None and not self._active:
            self._active = True
            self._log.info("active after %.1f s", time.monotonic() - self._began)

    def _set_up(self) -> _Parts:
        place = prepare(self._folder, self._desired)
        if place.network is not None and self._forwarder is None:
            forwarder = Forwarder(place.network.host_address, self._desired.emulator_port, self._desired.emulator_port)
            forwarder.start()
            self._forwarder = forwarder
        if place.network is not None and self._pulls is None:
            pulls = ImagePulls(self._log)
            pulls.start(place.network.netns, place.network.gateway)
            self._pulls = pulls
        programs = self._desired.programs
        plane = ControlPlane(self._folder, place.settings, programs)
        addon_place = AddonPlace(dns_address=place.dns_address, on_real_nodes=place.network is not None)
        cluster = self._desired.cluster
        ebs = Ebs(f"http://{LOOPBACK}:{self._desired.emulator_port}", cluster.region)
        volumes = Volumes(plane.api, ebs, cluster.name, self._folder.volumes)
        parts = _Parts(
            place=place,
            plane=plane,
            registry=image_registry(self._folder, place),
            nodes=NodeReconciler(self._folder, plane.api, programs, self._log),
            addons=AddonKeeper(plane.api, addon_place),
            volumes=Repeated("volumes", _VOLUMES_SECONDS, lambda: self._look_after_volumes(plane, volumes), self._log),
            policies=self._policies(plane, place),
        )
        parts.volumes.start()
        if parts.policies is not None:
            parts.policies.start()
        return parts

    def _policies(self, plane: ControlPlane, place: Place) -> Enforcer | None:
        if place.network is None:
            return None
        aws = AwsEndpoint(address=place.network.host_address, port=self._desired.emulator_port)
        return Enforcer(
            plane.api, self._folder.nodes, aws, self._log, wanted=lambda: enforced(self._desired.cluster.addons)
        )

    def _look_after_volumes(self, plane: ControlPlane, volumes: Volumes) -> None:
        if plane.serves:
            volumes.tick(installed=any(addon.name == EBS_CSI_DRIVER for addon in self._desired.cluster.addons))

    def _bring_in_step(self, parts: _Parts) -> bool:
        """Reconcile the objects in the Kubernetes API. Returns True if all of them have reached their desired state."""
        cluster = self._desired.cluster
        try:
            if self._admitted != cluster.pod_identities:
                admitted = admission.manifests(
                    cluster.region,
                    parts.place.aws_endpoint,
                    databases=self._desired.database_ca is not None,
                    accounts=cluster.pod_identities,
                )
                for manifest in (pod_groups.definition(), *admitted):
                    parts.plane.api.apply(manifest)
                self._admitted = cluster.pod_identities
            wanted = wanted_nodes(
                cluster, real_before=parts.nodes.real_before(), real_possible=parts.place.network is not None
            )
            agent = any(addon.name == POD_IDENTITY_AGENT for addon in cluster.addons)
            found = access(self._desired, parts.place, parts.plane)
            nodes_calm = parts.nodes.step(wanted, found, pod_identity=agent)
            return parts.addons.step(cluster.addons) and nodes_calm
        except ApiError as error:
            self._log.warning("%s", error)
            return False

    def _read_desired(self) -> None:
        written = self._folder.desired.stat().st_mtime_ns
        if written == self._desired_at:
            return
        before, self._desired = self._desired, Desired.read(self._folder.desired)
        self._desired_at = written
        self._content_due = 0.0
        if _foundation(before) != _foundation(self._desired):
            self._log.info("what the cluster stands on has changed; beginning anew with it")
            logging.shutdown()
            os.execv(sys.executable, [sys.executable, "-m", "mlp_sandbox.clusters", *sys.argv[1:]])  # noqa: S606

    def _note(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            self._log.error("%s", problem)
        self._problem = problem

    def _status(self) -> SupervisorStatus:
        parts, reason = self._parts, self._problem
        if reason is None and parts is not None and not parts.plane.ready:
            reason = parts.plane.words()
        late = time.monotonic() - self._began > START_SECONDS
        return SupervisorStatus(
            state="active" if self._active else "failed" if late or self._problem else "creating",
            version=self._desired.programs.version,
            name=self._desired.cluster.name,
            endpoint=parts.place.settings.server if parts else None,
            certificate_authority=parts.plane.authority.pem if parts else None,
            reason=reason,
            netns=parts.place.network.netns if parts and parts.place.network else None,
            real_nodes_possible=real_nodes_possible(self._desired),
            components=_components(parts) if parts else {},
            nodes=dict(parts.nodes.states) if parts else {},
            addons=_addons(parts) if parts else {},
        )

    def _write_status(self) -> None:
        status = self._status()
        if status != self._written or not self._folder.status.exists():
            status.write(self._folder)
            self._written = status

    def _leave(self) -> None:
        """End all processes of a cluster whose folder is gone. They are found in the machine's process list."""
        self._log.info("%s is not there any more", self._folder.root)
        for problem in orphans.end_everything_of(self._folder.root):
            self._log.error("%s", problem)

    def _stop(self) -> None:
        self._log.info("stopping")
        if self._parts is not None:
            self._parts.volumes.stop()
            if self._parts.policies is not None:
                self._parts.policies.stop()
            self._parts.nodes.stop()
            if self._parts.registry is not None:
                self._parts.registry.stop()
            self._parts.plane.stop()
        if self._pulls is not None:
            self._pulls.stop()
        if self._forwarder is not None:
            self._forwarder.stop()
        lifecycle.clean(self._folder)


def _components(parts: _Parts) -> dict[str, PartStatus]:
    registry = {parts.registry.command.name: parts.registry.state()} if parts.registry else {}
    return {**parts.plane.states(), **registry}


def _addons(parts: _Parts) -> dict[str, PartStatus]:
    states = dict(parts.addons.states)
    problem = parts.policies.problem if parts.policies else None
    if problem is not None and VPC_CNI in states:
        states[VPC_CNI] = PartStatus(state="unhealthy", reason=problem)
    return states


def _foundation(desired: Desired) -> tuple[object, ...]:
    """Return the settings that cannot change while the processes run."""
    cluster = desired.cluster
    ranges = (cluster.vpc_cidr, cluster.pod_cidr, cluster.service_cidr)
    return desired.emulator_port, desired.programs, desired.database_ca, cluster.oidc_issuer, cluster.region, *ranges
