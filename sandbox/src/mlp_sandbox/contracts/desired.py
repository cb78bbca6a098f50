"""The contract between the emulated AWS API and the processes that really run behind it (its data planes).

The API side says which instances should exist (`DatabaseInstance`); a data plane makes them so and answers, per
identifier, how far it is. Plain data only, so that neither side imports the other's machinery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

DataPlaneState = Literal["creating", "available", "stopped", "failed"]


@dataclass(frozen=True, kw_only=True)
class DatabaseNetwork:
    """The subnets (CIDR) that an instance's address may lie in, its own zone's first, and what is taken there."""

    vpc_id: str
    subnets: tuple[str, ...]
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class DatabaseInstance:
    """One RDS instance as the API describes it; `parameters` holds its parameter group's modified values.

    `resource_id` is what its data belong to: identifiers are renamed, and given to new instances after a deletion.
    `network` is None without a DB subnet group.
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
    """How far an instance is. `reason` says why when it failed; address and port count once it is available."""

    state: DataPlaneState
    address: str | None = None
    port: int | None = None
    reason: str | None = None


@runtime_checkable
class DatabaseDataPlane(Protocol):
    """What runs databases. Called from threads of the emulator: `reconcile` never twice at once."""

    def reconcile(self, desired: Sequence[DatabaseInstance]) -> None:
        """Start what shall run, change what differs, stop what shall not run, put away what is not listed.

        `desired` is the whole truth, in no order. Blocking is fine (a background thread calls); a failure of one
        instance is told by `status`, not raised.
        """
        ...

    def status(self, resource_id: str) -> DataPlaneStatus:
        """Answer at once, from memory; an instance never heard of is `creating`. Safe beside `reconcile`."""
        ...

    def abandon(self) -> None:
        """Begin nothing anew: the home is gone. What the machine holds for it is ended by whoever calls."""
        ...

    def close(self) -> None:
        """Stop every process, keep the data."""
        ...


@runtime_checkable
class ReachableDatabases(Protocol):
    """What clusters are told of databases: where those of a VPC listen, and what pods verify them with."""

    @property
    def ca_bundle(self) -> Path:
        """A file with the certificates (PEM) that databases are verified with; it is there before any of them is."""
        ...

    def addresses_in(self, vpc_id: str) -> tuple[str, ...] | None:
        """Of the databases that have an address of that VPC, in order; None while nobody has looked yet.

        Answers at once, from memory.
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
    """A managed node group and the instances that it has now.

    `efa_interfaces` counts those that its launch template gives every instance.
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
    """An add-on; `configuration` is the JSON object of its configurationValues."""

    name: str
    version: str
    configuration: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, kw_only=True)
class EksCluster:
    """One EKS cluster as the API describes it. `cluster_id` is new for every creation, names are used again.

    `version` is the minor version, such as 1.36. `vpc_id` is empty in what earlier versions wrote. `pod_cidr` is the
    range that pods get addresses from (a secondary range of the VPC where there is one). `oidc_issuer` signs
    service-account tokens. `pod_identities` are the service accounts (namespace/name) whose Pod Identity association
    has taken effect, in order. `gives_pods_interfaces`: EKS may make network interfaces for single pods.
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
    """How far a cluster is. `endpoint` (https://address) and `certificate_authority` (PEM) count once it is `active`.

    `ready_nodes` holds the names of the nodes that are Ready, `healthy_addons` those of the add-ons whose pods are.
    """

    state: Literal["creating", "active", "failed"]
    endpoint: str | None = None
    certificate_authority: str | None = None
    reason: str | None = None
    ready_nodes: frozenset[str] = frozenset()
    healthy_addons: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class PodIdentity:
    """The pod that a projected service-account token was issued to."""

    namespace: str
    service_account: str
    pod_name: str
    pod_uid: str


@runtime_checkable
class ClusterDataPlane(Protocol):
    """What runs Kubernetes clusters. Called from threads of the emulator: `reconcile` never twice at once."""

    def reconcile(self, desired: Sequence[EksCluster]) -> None:
        """Make what is listed run and stop and forget what is not. Returns soon: the work goes on by itself."""
        ...

    def status(self, cluster_id: str) -> ClusterStatus:
        """Answer at once; a cluster never heard of is `creating`."""
        ...

    def verify_pod_token(self, cluster_id: str, token: str) -> PodIdentity | None:
        """The pod behind a token of audience pods.eks.amazonaws.com that this cluster signed; None when it is not
        valid (wrong signature, audience or issuer, expired)."""
        ...

    def abandon(self) -> None:
        """Begin nothing anew: the home is gone. What the machine holds for it is ended by whoever calls."""
        ...

    def close(self) -> None:
        """Stop every process, keep the data."""
        ...
