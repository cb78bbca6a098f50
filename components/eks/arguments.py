"""Arguments of the cluster's components, and the handle that the cluster passes to the layers above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi

from components.accelerators import ACCELERATORS, NO_ACCELERATOR, Taint, image_type
from components.account import Account
from components.eks.versions import ADDONS, NODE_RELEASES
from components.instance_families import Size, family_of, size_of
from components.log_retention import RETENTION_DAYS
from components.naming import check_prefix, check_range, check_unique, cluster_name

Capacity = Literal["on_demand", "spot", "capacity_block"]
Support = Literal["STANDARD", "EXTENDED"]

POOL_LABEL = "pool"
# https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """Arguments of the control plane.

    `after` contains resources that must exist as long as the cluster does, although none of its properties refers to
    them.
    """

    account: Account
    prefix: str
    version: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    service_cidr: str
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    public_cidrs: tuple[str, ...] = ()
    private_cidrs: Mapping[str, str] = field(default_factory=dict[str, str])
    log_types: tuple[str, ...] = ("api", "audit", "authenticator")
    log_retention_days: int = 90
    deletion_protection: bool = True
    support: Support = "STANDARD"
    zonal_shift: bool = False
    after: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if self.version not in ADDONS:
            raise ValueError(f"version must be one of {', '.join(ADDONS)}, got {self.version!r}")
        if len(self.subnet_ids) < 2:
            raise ValueError(f"subnet_ids must name subnets of at least two zones, got {len(self.subnet_ids)}")
        check_unique("private_cidrs", tuple(self.private_cidrs))
        unknown = [name for name in self.log_types if name not in LOG_TYPES]
        if unknown:
            raise ValueError(f"log_types must be of {', '.join(LOG_TYPES)}, got {', '.join(unknown)}")
        if self.log_retention_days not in RETENTION_DAYS:
            raise ValueError(
                f"log_retention_days must be one of {', '.join(map(str, RETENTION_DAYS))}, "
                f"got {self.log_retention_days}"
            )

    @property
    def name(self) -> str:
        return cluster_name(self.prefix)


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """Pool of nodes that are identical for the scheduler: one architecture, one accelerator, one number of devices."""

    name: str
    instance_types: tuple[str, ...]
    max_size: int
    version: str
    zones: tuple[str, ...]
    accelerator: str = NO_ACCELERATOR
    min_size: int = 0
    disk_gib: int = 100
    capacity: Capacity = "on_demand"
    capacity_reservation_id: str | None = None
    efa: bool = False
    placement_group: bool = False
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    extra_taints: tuple[Taint, ...] = ()

    def __post_init__(self) -> None:
        if not self.instance_types:
            raise ValueError(f"pool {self.name}: name at least one instance type")
        if self.version not in NODE_RELEASES:
            raise ValueError(f"pool {self.name}: version must be one of {', '.join(NODE_RELEASES)}, got {self.version}")
        families = [family_of(name) for name in self.instance_types]
        if {family.accelerator for family in families} != {self.accelerator}:
            raise ValueError(
                f"pool {self.name}: accelerator must be what {', '.join(self.instance_types)} have, "
                f"got {self.accelerator}"
            )
        if len({family.architecture for family in families}) > 1 or len({size.devices for size in self._sizes}) > 1:
            raise ValueError(
                f"pool {self.name}: {', '.join(self.instance_types)} differ in architecture or number of accelerators; "
                f"make a pool of each"
            )
        if self.efa and not all(size.efa for size in self._sizes):
            raise ValueError(f"pool {self.name}: efa asks for types that have it, got {', '.join(self.instance_types)}")
        check_range(f"pool {self.name}: max_size", self.max_size, max(1, self.min_size), 450, "nodes")

    @property
    def _sizes(self) -> list[Size]:
        return [size_of(name) for name in self.instance_types]

    @property
    def devices(self) -> int:
        """Return the number of accelerators per node."""
        return self._sizes[0].devices

    @property
    def efa_interfaces(self) -> int:
        """Return the number of EFA interfaces per node: one per EFA-capable card of the type with the fewest."""
        return min(size.efa for size in self._sizes) if self.efa else 0

    @property
    def image(self) -> str:
        return image_type(self.accelerator, family_of(self.instance_types[0]).architecture)

    @property
    def has_instance_store(self) -> bool:
        return all(family_of(name).store for name in self.instance_types)

    @property
    def node_labels(self) -> Mapping[str, str]:
        """Return the labels that every node of the pool carries and that selectors may rely on."""
        accelerator = ACCELERATORS.get(self.accelerator)
        return {**self.labels, POOL_LABEL: self.name, **(accelerator.labels if accelerator else {})}

    @property
    def resource(self) -> str | None:
        """Return the extended resource that pods request to get an accelerator of the pool."""
        accelerator = ACCELERATORS.get(self.accelerator)
        return accelerator.vendor.resource if accelerator else None

    @property
    def taints(self) -> tuple[Taint, ...]:
        accelerator = ACCELERATORS.get(self.accelerator)
        return (*([accelerator.vendor.taint] if accelerator else []), *self.extra_taints)


@dataclass(frozen=True, kw_only=True)
class NodeGroupArgs:
    """Arguments of a node group.

    `after` contains resources that nodes need to become ready and to be drained, such as the network add-ons and
    routes.
    """

    cluster_name: pulumi.Input[str]
    pool: NodePool
    subnets: Mapping[str, pulumi.Input[str]]
    vpc_id: pulumi.Input[str]
    cluster_security_group_id: pulumi.Input[str]
    role_arn: pulumi.Input[str]
    volume_key_arn: pulumi.Input[str]
    tags: Mapping[str, str]
    pods_per_node: int = 110
    after: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        check_range("pods_per_node", self.pods_per_node, 8, 250, "pods")
        missing = [zone for zone in self.pool.zones if zone not in self.subnets]
        if missing:
            raise ValueError(f"pool {self.pool.name}: there is no subnet in {', '.join(missing)}")


@dataclass(frozen=True, kw_only=True)
class ClusterHandle:
    """All that other layers may use of the cluster.

    Attributes:
        plain_name: Name of the cluster before AWS has confirmed it.
        role_arns: ARNs of the roles that enter the cluster, by purpose.
        group_roles: Names of the roles of people who work on projects, by their group inside the cluster.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    plain_name: str
    version: str
    region: str
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]
    account: Account
    pools: tuple[NodePool, ...]
    volume_key_arn: pulumi.Output[str]
    role_arns: Mapping[str, pulumi.Output[str]] = field(default_factory=dict[str, pulumi.Output[str]])
    group_roles: Mapping[str, pulumi.Output[str]] = field(default_factory=dict[str, pulumi.Output[str]])

    @property
    def accelerators(self) -> tuple[str, ...]:
        return tuple(sorted({pool.accelerator for pool in self.pools} - {NO_ACCELERATOR}))

    @property
    def max_nodes(self) -> int:
        return sum(pool.max_size for pool in self.pools)
