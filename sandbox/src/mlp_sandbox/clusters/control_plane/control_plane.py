"""Control plane of one cluster: etcd, API server, controllers, scheduler and KWOK, kept running as processes.

Inside a cluster's network namespace it uses the default ports; elsewhere, it uses free ports of the loopback interface.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox.clusters.control_plane import apiserver, pki
from mlp_sandbox.clusters.control_plane.api import Api
from mlp_sandbox.clusters.control_plane.apiserver import ApiServerCertificates, ApiServerSettings, Webhooks
from mlp_sandbox.clusters.control_plane.component import Command, Component
from mlp_sandbox.clusters.control_plane.kubeconfig import kubeconfig
from mlp_sandbox.clusters.control_plane.ports import LOOPBACK, Ports, listens
from mlp_sandbox.clusters.exchange import PartStatus
from mlp_sandbox.clusters.folder import ClusterFolder, write_if_changed
from mlp_sandbox.clusters.model import Certificate
from mlp_sandbox.clusters.network.network import first_address
from mlp_sandbox.clusters.nodes import stages
from mlp_sandbox.clusters.nodes.real.configuration import Programs
from mlp_sandbox.clusters.nodes.simulated_nodes import SELECTOR
from mlp_sandbox.errors import SandboxError

MASTERS = ("system:masters",)
ADMINISTRATOR = "mlp-sandbox"
_POLL_SECONDS = 0.1
_LEASE_SECONDS = 40  # as for kubelets


@dataclass(frozen=True, kw_only=True)
class ControlPlaneSettings:
    """Settings of a control plane.

    Attributes:
        address: Address of the API server for clients outside the cluster's network.
        advertised: Address of the API server for nodes and pods.
        enter: Prefix of every command.
        parts: Processes that run in addition to etcd and the API server.
    """

    name: str
    issuer: str
    service_cidr: str
    address: str
    advertised: str
    ports: Ports
    enter: tuple[str, ...] = ()
    webhooks: Webhooks | None = None
    simulated_pods: str = "100.127.0.0/16"
    parts: tuple[str, ...] = ("kube-controller-manager", "kube-scheduler", "kwok")

    @property
    def server(self) -> str:
        return f"https://{self.address}" + ("" if self.ports.apiserver == 443 else f":{self.ports.apiserver}")


class ControlPlane:
    """Control plane of one cluster.

    `step` starts and repairs processes without waiting; `states` returns their status.
    """

    def __init__(self, folder: ClusterFolder, settings: ControlPlaneSettings, programs: Programs) -> None:
        folder.make()
        self.settings = settings
        self.authority = pki.CertificateAuthority(folder.pki, "ca", f"kubernetes {settings.name}")
        self._folder = folder
        self._programs = programs
        self._local = f"https://{LOOPBACK}:{settings.ports.apiserver}"
        admin = self.authority.client(ADMINISTRATOR, MASTERS, "admin")
        self.api = Api(settings.server, self.authority.paths.certificate, admin)
        self.kubeconfig = folder.etc / "admin.kubeconfig"
        self._write_kubeconfig(self.kubeconfig, settings.server, admin)
        self._components = [Component(folder, command) for command in self._commands()]

    @property
    def ready(self) -> bool:
        return all(component.ready for component in self._components)

    @property
    def serves(self) -> bool:
        """Return True if the API server is ready, even if other processes are not."""
        return any(each.ready for each in self._components if each.command.name == "kube-apiserver")

    def step(self) -> None:
        ready: set[str] = set()
        for component in self._components:
            component.step(may_start=ready.issuperset(component.command.after))
            if component.ready:
                ready.add(component.command.name)

    def wait(self, seconds: float, report: Callable[[str], None] = lambda words: None) -> None:
        """Start the control plane and wait until it is ready.

        Raises SandboxError that names the processes that are not ready, with the reason.
        """
        deadline, told = time.monotonic() + seconds, ""
        while True:
            self.step()
            if self.ready:
                return
            waiting = self.words()
            if waiting != told:
                report(waiting)
                told = waiting
            if time.monotonic() > deadline:
                raise SandboxError(f"the control plane is not up after {seconds:.0f} s: {waiting}")
            time.sleep(_POLL_SECONDS)

    def words(self) -> str:
        """Return a message that lists the processes that are not running yet."""
        return "; ".join(
            f"{name} is {state.state}" + (f" ({state.reason})" if state.reason else "")
            for name, state in self.states().items()
            if state.state != "running"
        )

    def states(self) -> Mapping[str, PartStatus]:
        return {component.command.name: component.state() for component in self._components}

    def stop(self) -> None:
        """Stop all processes, in reverse order of their dependencies: etcd is last."""
        for component in reversed(self._components):
            component.stop()

    def _commands(self) -> list[Command]:
        made = [self._etcd(), self._apiserver()]
        others = {
            "kube-controller-manager": self._controllers,
            "kube-scheduler": self._scheduler,
            "kwok": self._kwok,
        }
        return [*made, *(others[part]() for part in self.settings.parts)]

    def _etcd(self) -> Command:
        ports = self.settings.ports
        authority = self._etcd_authority()
        server = authority.server("etcd", [LOOPBACK, "localhost"], "etcd-server", also_client=True)
        client_url, peer_url = f"https://{LOOPBACK}:{ports.etcd}", f"https://{LOOPBACK}:{ports.etcd_peers}"
        flags: dict[str, object] = {
            "name": "etcd",
            "data-dir": self._folder.etcd,
            "listen-client-urls": client_url,
            "advertise-client-urls": client_url,
            "listen-peer-urls": peer_url,
            "initial-advertise-peer-urls": peer_url,
            "initial-cluster": f"etcd={peer_url}",
            # Writes survive a crash of the process, but not a power failure.
            "unsafe-no-fsync": "true",
            "snapshot-count": 10000,
            "auto-compaction-retention": "5m",
            "log-level": "warn",
        }
        for kind in ("", "peer-"):
            flags |= {
                f"{kind}cert-file": server.certificate,
                f"{kind}key-file": server.key,
                f"{kind}trusted-ca-file": authority.paths.certificate,
                f"{kind}client-cert-auth": "true",
            }
        return self._command("etcd", flags, ready=lambda pid: listens(pid, ports.etcd))

    def _apiserver(self) -> Command:
        settings = self.settings
        etcd_authority = self._etcd_authority()
        proxy_authority = pki.CertificateAuthority(self._folder.pki, "front-proxy-ca", "front-proxy")
        service = first_address(settings.service_cidr)
        names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
        addresses = dict.fromkeys((LOOPBACK, settings.address, settings.advertised, service))
        certificates = ApiServerCertificates(
            ca=self.authority.paths.certificate,
            server=self.authority.server("kube-apiserver", [*names, "localhost", *addresses], "apiserver"),
            etcd_ca=etcd_authority.paths.certificate,
            etcd_client=etcd_authority.client("kube-apiserver", (), "etcd-client"),
            kubelet_client=self.authority.client("kube-apiserver-kubelet-client", MASTERS, "kubelet-client"),
            proxy_ca=proxy_authority.paths.certificate,
            proxy_client=proxy_authority.client("front-proxy-client", (), "front-proxy-client"),
            token_key=pki.token_key(self._folder.pki),
            token_public_key=pki.token_public_key(self._folder.pki),
        )
        in_namespace = settings.advertised != LOOPBACK
        chosen = ApiServerSettings(
            issuer=settings.issuer,
            service_cidr=settings.service_cidr,
            bind_address="0.0.0.0" if in_namespace else LOOPBACK,
            advertise_address=settings.advertised,
            port=settings.ports.apiserver,
            endpoints=in_namespace,
            etcd=f"https://{LOOPBACK}:{settings.ports.etcd}",
            webhooks=settings.webhooks,
        )
        content = apiserver.files(self._folder, chosen)
        for name, text in content.items():
            write_if_changed(self._folder.etc / name, text)
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        path = str(self._programs.path("kube-apiserver"))
        return Command(
            name="kube-apiserver",
            arguments=(*settings.enter, path, *apiserver.arguments(self._folder, chosen, certificates)),
            ready=lambda pid: self.api.ready(),
            after=("etcd",),
            version=digest,
        )

    def _controllers(self) -> Command:
        authority = self.authority.paths
        flags = {
            **self._common("kube-controller-manager", self.settings.ports.controllers),
            "cluster-name": self.settings.name,
            "allocate-node-cidrs": "false",  # nodes get their pod ranges with their networks
            "use-service-account-credentials": "true",
            "service-account-private-key-file": pki.token_key(self._folder.pki),
            "root-ca-file": authority.certificate,
            "cluster-signing-cert-file": authority.certificate,
            "cluster-signing-key-file": authority.key,
            "kube-api-qps": 100,
            "kube-api-burst": 200,
        }
        port = self.settings.ports.controllers
        return self._command("kube-controller-manager", flags, ready=lambda pid: listens(pid, port))

    def _scheduler(self) -> Command:
        port = self.settings.ports.scheduler
        flags = self._common("kube-scheduler", port) | {"kube-api-qps": 200, "kube-api-burst": 400}
        return self._command("kube-scheduler", flags, ready=lambda pid: listens(pid, port))

    def _kwok(self) -> Command:
        port = self.settings.ports.kwok
        path, content = self._folder.etc / "kwok.yaml", stages.configuration()
        write_if_changed(path, content)
        flags = {
            "config": path,
            "node-lease-duration-seconds": _LEASE_SECONDS,
            "kubeconfig": self._client("kwok", MASTERS),
            "manage-nodes-with-annotation-selector": SELECTOR,
            "cidr": self.settings.simulated_pods,
            "server-address": f"{LOOPBACK}:{port}",
            "v": "WARN",
        }
        # The user's own KWOK settings must have no effect.
        home = {"HOME": str(self._folder.etc)}
        digest = hashlib.sha256(content.encode()).hexdigest()
        return self._command("kwok", flags, ready=lambda pid: listens(pid, port), environment=home, version=digest)

    def _common(self, name: str, port: int) -> dict[str, object]:
        kubeconfig = self._client(f"system:{name}", ())
        return {
            "kubeconfig": kubeconfig,
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": LOOPBACK,
            "secure-port": port,
            "leader-elect": "false",  # there is one replica of each, which starts work at once
            "profiling": "false",
            "v": 1,
        }

    def _command(
        self,
        name: str,
        flags: Mapping[str, object],
        *,
        ready: Callable[[int], bool],
        environment: Mapping[str, str] | None = None,
        version: str = "",
    ) -> Command:
        words = [f"--{flag}={value}" for flag, value in flags.items()]
        return Command(
            name=name,
            arguments=(*self.settings.enter, str(self._programs.path(name)), *words),
            ready=ready,
            after=() if name == "etcd" else ("kube-apiserver",),
            environment=environment or {},
            version=version,
        )

    def _client(self, common_name: str, organisations: Sequence[str]) -> Path:
        """Write a kubeconfig for a process that runs beside the API server, and return its path."""
        stem = common_name.removeprefix("system:")
        path = self._folder.etc / f"{stem}.kubeconfig"
        self._write_kubeconfig(path, self._local, self.authority.client(common_name, organisations, stem))
        return path

    def _write_kubeconfig(self, path: Path, server: str, client: Certificate) -> None:
        content = kubeconfig(self.settings.name, server, self.authority.paths.certificate, client)
        write_if_changed(path, json.dumps(content, indent=1))

    def _etcd_authority(self) -> pki.CertificateAuthority:
        """Return etcd's own certificate authority, so that no other certificate of the cluster gives access to etcd."""
        return pki.CertificateAuthority(self._folder.pki, "etcd-ca", "etcd")
