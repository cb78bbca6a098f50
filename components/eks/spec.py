"""Kubernetes cluster settings: version, API access, permissions of teams, and node pools."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from components.accelerators import ACCELERATORS, NO_ACCELERATOR
from components.eks.access_spec import SignInSpec, TeamSpec
from components.eks.autoscaler_spec import AutoscalerSpec
from components.eks.pool_spec import NodePoolSpec
from components.eks.versions import Minor
from components.instance_families import gives_pods_interfaces
from components.log_retention import RetentionDays
from validation.base import Allowed, Cidr, Cidrs, Problem, Section, refuse, unique
from validation.names import Name

GENERAL_POOL = "general"

LogTypes = Annotated[
    tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...],
    Strict(False),
    AfterValidator(unique),
]


class ClusterSpec(Section):
    version: Minor
    """Kubernetes version. https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"""
    public_access: bool = False
    """If true, the Kubernetes API can be reached from outside the VPC."""
    api_cidrs: Cidrs = ()
    """Ranges that may reach the public API. https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"""
    private_cidrs: Annotated[dict[Name, Cidr], Allowed("names to IPv4 ranges")] = Field(default_factory=dict[str, str])
    """Ranges outside the VPC that may reach the private API: offices, CI runners. Each lies in a range of
    `network.connections`, which provides the routes in both directions."""
    deletion_protection: bool = True
    """If true, EKS itself rejects the deletion of the cluster."""
    upgrade_policy: Literal["standard", "extended"] = "standard"
    """Policy at the end of a version's standard support: an upgrade by AWS, or 12 more months at a higher price.
    https://docs.aws.amazon.com/eks/latest/userguide/view-upgrade-policy.html"""
    zonal_shift: bool = False
    """If true, traffic can be moved out of a zone that fails.
    https://docs.aws.amazon.com/eks/latest/userguide/zone-shift.html"""
    log_types: LogTypes = ("api", "audit", "authenticator")
    """Log types of the control plane; AWS bills logs by the gigabyte."""
    log_retention_days: RetentionDays = 90
    """Retention of the control plane's logs in days."""
    pods_per_node: int = Field(default=110, ge=8, le=250)
    """Maximum number of pods per node. https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html"""
    node_sessions: bool = False
    """If true, people may open shells on nodes with Session Manager."""
    teams: Annotated[dict[Name, TeamSpec], Allowed("names to teams")] = Field(default_factory=dict[str, TeamSpec])
    """Teams with access to the cluster, by name. Each team has a role of its own."""
    sign_in: SignInSpec = SignInSpec()
    """Conditions for people who assume a role of the cluster."""
    autoscaler: AutoscalerSpec = AutoscalerSpec()
    """Cluster Autoscaler, which adds and removes nodes."""
    general_pool: NodePoolSpec
    """Nodes for the platform's own services and for work without accelerators."""
    gpu_pools: Annotated[dict[Name, NodePoolSpec], Allowed("names to pools")] = Field(
        default_factory=dict[str, NodePoolSpec]
    )
    """Pools of accelerated nodes, by name."""

    @property
    def pools(self) -> dict[str, NodePoolSpec]:
        """Return all pools by name; `pool_path` returns the path of a pool in the settings."""
        return {GENERAL_POOL: self.general_pool, **self.gpu_pools}

    @property
    def max_nodes(self) -> int:
        return sum(pool.max_size for pool in self.pools.values())

    @model_validator(mode="after")
    def access_and_pools_are_consistent(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if self.public_access and not self.api_cidrs:
            fix = "list the ranges that may reach the API, AWS would open it to everybody"
            yield Problem(field="api_cidrs", value=(), fix=fix)
        if self.api_cidrs and not self.public_access:
            fix = "remove it or set public_access: true, it has no effect on a private API"
            yield Problem(field="api_cidrs", value=self.api_cidrs, fix=fix)
        yield from self._general_pool()
        for name, pool in self.gpu_pools.items():
            if pool.accelerator == NO_ACCELERATOR:
                fix = f"name the accelerator, one of {', '.join(sorted(ACCELERATORS))}"
                yield Problem(field=f"gpu_pools.{name}.accelerator", value=pool.accelerator, fix=fix)
            if name == GENERAL_POOL:
                fix = "choose another name, the pool without accelerators has this one"
                yield Problem(field=f"gpu_pools.{name}", value=name, fix=fix)
        yield from self._versions()

    def _general_pool(self) -> Iterator[Problem]:
        pool = self.general_pool
        if pool.accelerator != NO_ACCELERATOR:
            fix = "use instance types without an accelerator here, and move these to gpu_pools"
            yield Problem(field="general_pool.accelerator", value=pool.accelerator, fix=fix)
        without = [name for name in pool.instance_types if not gives_pods_interfaces(name)]
        if without:
            fix = (
                f"choose other types, such as m7i or m7g: MLflow's pods have a security group of their own, for which "
                f"nodes of {', '.join(without)} have no network interfaces"
            )
            yield Problem(field="general_pool.instance_types", value=pool.instance_types, fix=fix)
        if pool.min_size < 1:
            fix = "write 1 or more, the platform's own services need a node"
            yield Problem(field="general_pool.min_size", value=pool.min_size, fix=fix)
        if pool.taints:
            fix = "remove them, or give them to another pool: DNS and the autoscaler do not tolerate them"
            yield Problem(field="general_pool.taints", value=tuple(pool.taints), fix=fix)
        if pool.capacity != "on_demand":
            fix = "write on_demand, the autoscaler and DNS run here and must not be taken away"
            yield Problem(field="general_pool.capacity", value=pool.capacity, fix=fix)

    def _versions(self) -> Iterator[Problem]:
        """Yield problems with the versions of nodes.

        Nodes may be one minor version behind the cluster during an upgrade, and never ahead.
        https://kubernetes.io/releases/version-skew-policy/#kubelet allows more, but an upgrade from there is not
        possible.
        """
        minor = int(self.version.partition(".")[2])
        for name, pool in self.pools.items():
            if pool.version and int(pool.version.partition(".")[2]) not in (minor, minor - 1):
                fix = (
                    f"write {self.version} or 1.{minor - 1}, nodes may be one minor behind the cluster and never ahead"
                )
                yield Problem(field=f"{pool_path(name)}.version", value=pool.version, fix=fix)


def pool_path(name: str) -> str:
    return "general_pool" if name == GENERAL_POOL else f"gpu_pools.{name}"
