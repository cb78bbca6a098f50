"""Location of a cluster: its own network namespace for root, else free ports of the loopback interface."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox.clusters.control_plane.apiserver import Webhooks
from mlp_sandbox.clusters.control_plane.component import Command, Component
from mlp_sandbox.clusters.control_plane.control_plane import ControlPlane, ControlPlaneSettings
from mlp_sandbox.clusters.control_plane.ports import LOOPBACK, Ports, listens, loopback_ports
from mlp_sandbox.clusters.exchange import Desired
from mlp_sandbox.clusters.folder import ClusterFolder
from mlp_sandbox.clusters.images import registry_command
from mlp_sandbox.clusters.model import ClusterAccess
from mlp_sandbox.clusters.network import network
from mlp_sandbox.clusters.network.network import ClusterNetwork, first_address
from mlp_sandbox.clusters.nodes.nodes import pod_range, simulated_pod_range

REGISTRY_PORT = 5000
_DNS_PLACE = 10
"""https://docs.aws.amazon.com/eks/latest/userguide/managing-coredns.html: the tenth address of the Service range."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Location of a cluster.

    Attributes:
        aws_endpoint: URL of the emulated AWS for pods and the API server.
        network: Network of the cluster; None without root.
    """

    settings: ControlPlaneSettings
    aws_endpoint: str
    dns_address: str
    network: ClusterNetwork | None


def real_nodes_possible(desired: Desired) -> bool:
    return desired.real_nodes and os.geteuid() == 0


def prepare(folder: ClusterFolder, desired: Desired) -> Place:
    """Create the cluster's network, or choose its ports. Raises SandboxError."""
    made = network.ensure(folder, desired.cluster.vpc_cidr) if real_nodes_possible(desired) else None
    cluster = desired.cluster
    aws_endpoint = f"http://{made.host_address if made else LOOPBACK}:{desired.emulator_port}"
    root = f"{aws_endpoint}/_mlp/eks/{cluster.cluster_id}"
    settings = ControlPlaneSettings(
        name=cluster.name,
        issuer=cluster.oidc_issuer,
        service_cidr=cluster.service_cidr,
        address=made.address if made else LOOPBACK,
        advertised=made.gateway if made else LOOPBACK,
        ports=Ports() if made else loopback_ports(folder),
        enter=made.enter() if made else (),
        webhooks=Webhooks(authenticate=f"{root}/authenticate", authorize=f"{root}/authorize"),
        simulated_pods=simulated_pod_range(pod_range(cluster)),
    )
    return Place(
        settings=settings,
        aws_endpoint=aws_endpoint,
        dns_address=first_address(cluster.service_cidr, _DNS_PLACE),
        network=made,
    )


def image_registry(folder: ClusterFolder, place: Place) -> Component | None:
    """Return the component that serves images to real nodes, or None if there are no real nodes.

    Raises SandboxError if the registry is not installed.
    """
    if place.network is None:
        return None
    command = registry_command(f"{place.network.gateway}:{REGISTRY_PORT}", folder.etc)
    return Component(
        folder,
        Command(
            name="registry",
            arguments=(*place.network.enter(), *command),
            ready=lambda pid: listens(pid, REGISTRY_PORT),
        ),
    )


def access(desired: Desired, place: Place, plane: ControlPlane) -> ClusterAccess | None:
    """Return the data by which real nodes reach the cluster, or None if there are no real nodes."""
    if place.network is None:
        return None
    cluster = desired.cluster
    return ClusterAccess(
        cluster_id=cluster.cluster_id,
        name=cluster.name,
        region=cluster.region,
        server=f"https://{place.network.gateway}:{place.settings.ports.apiserver}",
        ca=plane.authority.paths.certificate,
        netns=place.network.netns,
        bridge=network.BRIDGE,
        gateway=place.network.gateway,
        node_prefix_length=place.network.prefix_length,
        pod_cidr=pod_range(cluster),
        service_cidr=cluster.service_cidr,
        dns_address=place.dns_address,
        aws_endpoint=place.aws_endpoint,
        registry=f"{place.network.gateway}:{REGISTRY_PORT}",
        database_ca=Path(desired.database_ca) if desired.database_ca is not None else None,
        issue=plane.authority.client,
    )
