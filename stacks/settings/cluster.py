"""The Kubernetes cluster: version, who reaches its API, and its pools of nodes.

Validated with the rest, although a later layer uses it: addresses for the nodes are planned with the network.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from stacks.settings.base import Allowed, Cidrs, Problem, Section, refuse, unique
from stacks.settings.instance_families import ACCELERATORS, NO_ACCELERATOR, family_of


def instance_type(text: str) -> str:
    family_of(text)
    return text


def accelerator(text: str) -> str:
    if text not in (NO_ACCELERATOR, *ACCELERATORS):
        raise ValueError(f"write {NO_ACCELERATOR} or one of {', '.join(ACCELERATORS)}")
    return text


InstanceTypes = Annotated[
    tuple[Annotated[str, AfterValidator(instance_type), Allowed("EC2 instance type")], ...],
    Strict(False),
    AfterValidator(unique),
]
Accelerator = Annotated[str, AfterValidator(accelerator), Allowed(f"{NO_ACCELERATOR}, {', '.join(ACCELERATORS)}")]


class NodePoolSettings(Section):
    instance_types: InstanceTypes = Field(min_length=1, max_length=20)
    """Types that AWS may choose from: one architecture and one accelerator, so that every image runs on all of them."""
    accelerator: Accelerator = NO_ACCELERATOR
    """Accelerator of the instance types; workloads ask for it by this name."""
    min_size: int = Field(default=0, ge=0, le=450)
    """Nodes that always run. 450 is the quota of nodes in a managed node group."""
    max_size: int = Field(ge=1, le=450)
    """Nodes that may run at the most. https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html"""

    @model_validator(mode="after")
    def types_belong_together(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if self.max_size < self.min_size:
            fix = f"write at least min_size, which is {self.min_size}"
            yield Problem(field="max_size", value=self.max_size, fix=fix)
        families = {name: family_of(name) for name in self.instance_types}
        architectures = {family.architecture for family in families.values()}
        if len(architectures) > 1:
            fix = f"use one architecture per pool, these are {' and '.join(sorted(architectures))}"
            yield Problem(field="instance_types", value=self.instance_types, fix=fix)
        for name, family in families.items():
            if family.accelerator != self.accelerator:
                fix = f"write {family.accelerator}, which is what {name} has, or change instance_types"
                yield Problem(field="accelerator", value=self.accelerator, fix=fix)
                return


class ClusterSettings(Section):
    version: Literal["1.33", "1.34", "1.35", "1.36"]
    """Kubernetes version. https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html"""
    public_access: bool = False
    """Whether the Kubernetes API can be reached from outside the VPC."""
    api_cidrs: Cidrs = ()
    """Ranges that may reach the public API. https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html"""
    general_pool: NodePoolSettings
    """Nodes for the platform's own services and for work without accelerators."""
    gpu_pools: dict[str, NodePoolSettings] = Field(default_factory=dict)
    """Pools of accelerated nodes, by name."""

    @property
    def max_nodes(self) -> int:
        return self.general_pool.max_size + sum(pool.max_size for pool in self.gpu_pools.values())

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
        if self.general_pool.accelerator != NO_ACCELERATOR:
            fix = "use instance types without an accelerator here, and move these to gpu_pools"
            yield Problem(field="general_pool.accelerator", value=self.general_pool.accelerator, fix=fix)
        if self.general_pool.min_size < 1:
            fix = "write 1 or more, the platform's own services need a node"
            yield Problem(field="general_pool.min_size", value=self.general_pool.min_size, fix=fix)
        for name, pool in self.gpu_pools.items():
            if pool.accelerator == NO_ACCELERATOR:
                fix = f"name the accelerator, one of {', '.join(ACCELERATORS)}"
                yield Problem(field=f"gpu_pools.{name}.accelerator", value=pool.accelerator, fix=fix)
