"""Temporary control plane: the real API server and scheduler on loopback ports, in a folder that is deleted afterwards.

It needs no root, nodes or emulated account. It serves queries to the real scheduler, and tests against the real API.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox.clusters.control_plane.api import Api
from mlp_sandbox.clusters.control_plane.control_plane import ControlPlane, ControlPlaneSettings
from mlp_sandbox.clusters.control_plane.ports import LOOPBACK, loopback_ports
from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.clusters.nodes.real.configuration import Programs

START_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class ScratchControlPlane:
    """Administrator access to a temporary control plane.

    Attributes:
        kubeconfig: Path of a kubeconfig for any Kubernetes client.
        server: URL of the API server.
        api: Client of the API server, which needs no kubeconfig.
    """

    kubeconfig: Path
    server: str
    api: Api


@contextmanager
def scratch_control_plane(
    folder: Path,
    programs: Programs,
    *,
    controllers: bool = False,
    simulated_nodes: bool = False,
    report: Callable[[str], None] = lambda words: None,
) -> Generator[ScratchControlPlane]:
    """Run a control plane until the block ends, then stop it and delete its files below `folder`. Raises SandboxError.

    Args:
        folder: Parent folder of the control plane's files.
        programs: The Kubernetes programs.
        controllers: If False, only the scheduler reacts to objects.
        simulated_nodes: If True, KWOK keeps nodes from `simulated_nodes.manifest` Ready and reports their pods as
            running.
        report: Called with progress messages.
    """
    place = ClusterFolder(folder / "control-plane")
    shutil.rmtree(place.root, ignore_errors=True)
    parts = [*(["kube-controller-manager"] if controllers else []), "kube-scheduler"]
    settings = ControlPlaneSettings(
        name="scratch",
        issuer="https://kubernetes.default.svc",
        service_cidr="172.20.0.0/16",
        address=LOOPBACK,
        advertised=LOOPBACK,
        ports=loopback_ports(place),
        enter=_END_WITH_CALLER if shutil.which(_END_WITH_CALLER[0]) else (),
        parts=(*parts, *(["kwok"] if simulated_nodes else [])),
    )
    plane = ControlPlane(place, settings, programs)
    try:
        plane.wait(START_SECONDS, report)
        yield ScratchControlPlane(kubeconfig=plane.kubeconfig, server=settings.server, api=plane.api)
    finally:
        plane.stop()
        shutil.rmtree(place.root, ignore_errors=True)


_END_WITH_CALLER = ("setpriv", "--pdeathsig", "KILL", "--")
"""Command of util-linux: the kernel ends the processes when their parent process ends, for whatever reason."""
