"""Data that the parts of a cluster share: access to the control plane, and the specification of a node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlp_sandbox.contracts.desired import EksTaint


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Paths of a PEM certificate and its private key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class ClusterAccess:
    """Data by which nodes reach the control plane and the cluster's network.

    Attributes:
        server: URL of the API server inside the cluster's network (https://<gateway>:443).
        netns: Name of the network namespace that contains the cluster's bridge.
        bridge: Name of the cluster's bridge.
        gateway: Address of the bridge, and the default route of every node.
        aws_endpoint: URL where nodes and pods reach the emulated AWS API.
        registry: Image registry (host:port).
        database_ca: CA file that pods verify databases with.
        issue: Issues a client certificate: (common name, organisations, file stem) -> paths.
    """

    cluster_id: str
    name: str
    region: str
    server: str
    ca: Path
    netns: str
    bridge: str
    gateway: str
    node_prefix_length: int
    pod_cidr: str
    service_cidr: str
    dns_address: str
    aws_endpoint: str
    registry: str
    database_ca: Path | None = None
    issue: Callable[[str, tuple[str, ...], str], Certificate] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """Specification of one node. CPU is in cores, memory in MiB.

    Attributes:
        labels: All labels, including those under kubernetes.io.
        accelerators: Extended resources of the instance type, with their number. On a real node a device plugin
            announces them; a simulated node announces them itself.
        interfaces: Network interfaces for single pods, with their number. EKS announces them for the node.
        pod_cidr: Pod range of a real node, a /24 of the cluster's pod range.
    """

    name: str
    provider_id: str
    private_ip: str
    instance_type: str
    zone: str
    node_group: str
    labels: Mapping[str, str]
    taints: tuple[EksTaint, ...]
    cpus: int
    memory_mib: int
    max_pods: int
    accelerators: Mapping[str, int]
    real: bool
    interfaces: Mapping[str, int] = field(default_factory=dict[str, int])
    pod_cidr: str | None = None
