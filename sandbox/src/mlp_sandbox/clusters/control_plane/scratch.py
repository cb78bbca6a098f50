"""A control plane for a while: the real API server and scheduler on loopback ports, in a folder that is thrown away.

No root, no nodes, no emulated account. For questions to the real scheduler, and for tests against the real API.
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
    """`kubeconfig` is an administrator's, for any client of Kubernetes; `api` is the same without one."""

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
    """Runs until the block ends, then stops and removes what it kept in `folder`. Raises SandboxError.

    Without `controllers` nothing reacts to objects but the scheduler. With `simulated_nodes` KWOK keeps nodes of
    `simulated_nodes.manifest` Ready and says that their pods run.
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
"""From util-linux: the kernel ends the processes with whoever started them, however that ended."""
