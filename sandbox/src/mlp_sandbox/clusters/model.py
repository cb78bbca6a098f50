"""What the parts of a cluster tell each other: where its control plane is, and what a node shall be."""

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
    """The control plane as its nodes find it.

    `server` is the API server's address inside the cluster's network (https://<gateway>:443). `netns` names the
    network namespace that the cluster's bridge `bridge` lives in. `gateway` is the bridge's address, and the default
    route of every node. `aws_endpoint` is where nodes and pods reach the emulated AWS API, `registry` where images come
    from (host:port). `database_ca` is the file that pods verify databases with. `issue` makes a client certificate:
    (common name, organisations, file stem) -> paths.
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
    """One node: a real one gets `pod_cidr` (a /24 of the cluster's pod range). CPU in cores, memory in MiB.

    `labels` are all labels, those under kubernetes.io included. `accelerators` are extended resources and how many the
    instance type has: on a real node a device plugin announces them, on a simulated one the node itself does.
    `interfaces` are network interfaces for single pods, which EKS announces for the node.
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
