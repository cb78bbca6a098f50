"""Contract between the emulated AWS API and the real processes behind it (its data planes).

The API side says which instances should exist (`DatabaseInstance`). A data plane starts, changes and stops processes
accordingly and reports the state of each instance by its identifier. The contract is plain data only, so that neither
side imports the other's machinery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

DataPlaneState = Literal["creating", "available", "stopped", "failed"]


@dataclass(frozen=True, kw_only=True)
class DatabaseNetwork:
    """Subnets (CIDR) in which an instance's address may lie, its own zone's first, and the addresses in use there."""

    vpc_id: str
    subnets: tuple[str, ...]
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class DatabaseInstance:
    """One RDS instance as the API describes it.

    Attributes:
        resource_id: the owner of the data. An identifier is not: instances can be renamed, and after a deletion a new
            instance can get the same identifier.
        parameters: the modified values of its parameter group.
        network: None without a DB subnet group.
    """

    identifier: str
    resource_id: str
    running: bool
    engine_version: str
    port: int
    db_name: str | None
    master_username: str
    master_password: str = field(repr=False)
    parameters: Mapping[str, str]
    tls_forced: bool
    allocated_storage: int
    multi_az: bool
    network: DatabaseNetwork | None = None


@dataclass(frozen=True, kw_only=True)
class DataPlaneStatus:
    """State of an instance. `reason` is set when it failed; address and port are valid once it is available."""

    state: DataPlaneState
    address: str | None = None
    port: int | None = None
    reason: str | None = None


@runtime_checkable
class DatabaseDataPlane(Protocol):
    """Data plane that runs databases.

    Threads of the emulator call it; `reconcile` never runs twice at once.
    """

    def reconcile(self, desired: Sequence[DatabaseInstance]) -> None:
        """Start, change and stop servers until they match `desired`.

        The data of instances that are not listed are put away.

        Args:
            desired: all instances that shall exist, in no order. The call may block, because it comes from a background
                thread. The failure of one instance is reported by `status` and not raised.
        """
        ...

    def status(self, resource_id: str) -> DataPlaneStatus:
        """Return the state of an instance at once, from memory; an unknown instance is `creating`.

        The call is safe while `reconcile` runs.
        """
        ...

    def abandon(self) -> None:
        """Start nothing any more, because the home folder is gone; the caller ends what this machine holds for it."""
        ...

    def close(self) -> None:
        """Stop every process and keep the data."""
        ...


@runtime_checkable
class ReachableDatabases(Protocol):
    """Database data that clusters need: the addresses in a VPC, and the certificates that verify the servers."""

    @property
    def ca_bundle(self) -> Path:
        """Return a file with the certificates (PEM) that verify the databases; it exists before any database does."""
        ...

    def addresses_in(self, vpc_id: str) -> tuple[str, ...] | None:
        """Return the addresses that databases have in a VPC, in order; None while they are not known yet.

        The call answers at once, from memory.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class EksInstance:
    """One EC2 instance of a node group's Auto Scaling group; it becomes one node."""

    instance_id: str
    instance_type: str
    zone: str
    private_ip: str
    private_dns_name: str


@dataclass(frozen=True, kw_only=True)
class EksTaint:
    """A taint as Kubernetes spells it (`NoSchedule`), not as the EKS API does (`NO_SCHEDULE`)."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, kw_only=True)
class EksNodeGroup:
    """Managed node group and its current instances.

    `efa_interfaces` counts the EFA interfaces that its launch template gives every instance.
    """

    name: str
    ami_type: str
    capacity_type: str
    max_size: int
    labels: Mapping[str, str]
    taints: tuple[EksTaint, ...]
    instances: tuple[EksInstance, ...]
    efa_interfaces: int = 0


@dataclass(frozen=True, kw_only=True)
class EksAddon:
    """Add-on of a cluster; `configuration` is the JSON object of its configurationValues."""

    name: str
    version: str
    configuration: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, kw_only=True)
class EksCluster:
    """One EKS cluster as the API describes it.

    Attributes:
        cluster_id: an id that is new for every creation; names are used again.
        version: the minor version, such as 1.36.
        pod_cidr: the range of the pods' addresses (a secondary range of the VPC where there is one).
        oidc_issuer: the issuer that signs service-account tokens.
        vpc_id: empty in data that earlier versions wrote.
        pod_identities: the service accounts (namespace/name) whose Pod Identity association has taken effect, in order.
        gives_pods_interfaces: EKS may make network interfaces for single pods.
    """

    cluster_id: str
    arn: str
    name: str
    account: str
    region: str
    version: str
    vpc_cidr: str
    pod_cidr: str
    service_cidr: str
    oidc_issuer: str
    vpc_id: str = ""
    addons: tuple[EksAddon, ...] = ()
    node_groups: tuple[EksNodeGroup, ...] = ()
    pod_identities: tuple[str, ...] = ()
    gives_pods_interfaces: bool = False


@dataclass(frozen=True, kw_only=True)
class ClusterStatus:
    """State of a cluster.

    Attributes:
        endpoint: https://address, valid once the cluster is `active`.
        certificate_authority: PEM, valid once the cluster is `active`.
        ready_nodes: the names of the nodes that are Ready.
        healthy_addons: the names of the add-ons whose pods are healthy.
    """

    state: Literal["creating", "active", "failed"]
    endpoint: str | None = None
    certificate_authority: str | None = None
    reason: str | None = None
    ready_nodes: frozenset[str] = frozenset()
    healthy_addons: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class PodIdentity:
    """Pod that a projected service-account token was issued to."""

    namespace: str
    service_account: str
    pod_name: str
    pod_uid: str


@runtime_checkable
class ClusterDataPlane(Protocol):
    """Data plane that runs Kubernetes clusters.

    Threads of the emulator call it; `reconcile` never runs twice at once.
    """

    def reconcile(self, desired: Sequence[EksCluster]) -> None:
        """Start the clusters that are listed; stop and forget the others. Return soon: work goes on in background."""
        ...

    def status(self, cluster_id: str) -> ClusterStatus:
        """Return the state of a cluster at once; an unknown cluster is `creating`."""
        ...

    def verify_pod_token(self, cluster_id: str, token: str) -> PodIdentity | None:
        """Return the pod to which this cluster issued a token of audience pods.eks.amazonaws.com.

        The result is None when the token is not valid (wrong signature, audience or issuer, expired).
        """
        ...

    def abandon(self) -> None:
        """Start nothing any more, because the home folder is gone; the caller ends what this machine holds for it."""
        ...

    def close(self) -> None:
        """Stop every process and keep the data."""
        ...
