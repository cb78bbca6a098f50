"""Arguments of the cluster's components, and the handle that the cluster passes to the layers above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components.accelerators import ACCELERATORS, NO_ACCELERATOR
from components.account import Account
from components.eks.pool_spec import NodePoolSpec
from components.eks.spec import ClusterSpec
from components.eks.versions import Minor
from components.naming import check_prefix, cluster_name

POOL_LABEL = "pool"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """Arguments of the control plane.

    `after` contains resources that must exist as long as the cluster does, although none of its properties refers to
    them.
    """

    account: Account
    prefix: str
    spec: ClusterSpec
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    service_cidr: str
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if len(self.subnet_ids) < 2:
            raise ValueError(f"subnet_ids must name subnets of at least two zones, got {len(self.subnet_ids)}")

    @property
    def name(self) -> str:
        return cluster_name(self.prefix)


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """Pool of nodes that are identical for the scheduler: one architecture, one accelerator, one number of devices.

    Attributes:
        spec: Settings of the pool.
        default_zones: Zones of the nodes if the settings name none.
        default_version: Kubernetes version of the nodes if the settings name none.
    """

    name: str
    spec: NodePoolSpec
    default_zones: tuple[str, ...]
    default_version: Minor

    @property
    def zones(self) -> tuple[str, ...]:
        return self.spec.zones or self.default_zones

    @property
    def version(self) -> Minor:
        return self.spec.version or self.default_version

    @property
    def node_labels(self) -> Mapping[str, str]:
        """Return the labels that every node of the pool carries and that selectors may rely on."""
        accelerator = ACCELERATORS.get(self.spec.accelerator)
        return {**self.spec.labels, POOL_LABEL: self.name, **(accelerator.labels if accelerator else {})}


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
    pods_per_node: int
    after: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
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
        return tuple(sorted({pool.spec.accelerator for pool in self.pools} - {NO_ACCELERATOR}))

    @property
    def max_nodes(self) -> int:
        return sum(pool.spec.max_size for pool in self.pools)
