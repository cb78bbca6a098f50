"""Settings of a node pool: instance types, size, purchase option and network features."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from components.accelerators import ACCELERATORS, EKS_EFFECTS, NO_ACCELERATOR, Effect, Taint, image_type
from components.eks.versions import Minor
from components.instance_families import Size, family_of, size_of
from validation.base import Allowed, Problem, Section, Strings, refuse, unique

# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
LABEL_KEY = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
# https://kubernetes.io/docs/reference/labels-annotations-taints/: reserved prefixes of labels
RESERVED_PREFIXES = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")


def instance_type(text: str) -> str:
    family_of(text)
    return text


def accelerator(text: str) -> str:
    if text not in (NO_ACCELERATOR, *ACCELERATORS):
        raise ValueError(f"write {NO_ACCELERATOR} or one of {', '.join(sorted(ACCELERATORS))}")
    return text


def reservation(text: str) -> str:
    if not re.fullmatch(r"cr-[0-9a-f]{8,17}", text):
        raise ValueError("write the id of a capacity reservation, such as cr-0123456789abcdef0")
    return text


def label_key(text: str) -> str:
    if not LABEL_KEY.fullmatch(text):
        raise ValueError("write a label key of Kubernetes, such as team or example.com/team")
    if any(text.partition("/")[0].endswith(prefix[:-1]) for prefix in RESERVED_PREFIXES if "/" in text):
        raise ValueError("choose another prefix, this one is reserved for Kubernetes and EKS")
    return text


def label_value(text: str) -> str:
    if not LABEL_VALUE.fullmatch(text):
        raise ValueError("write up to 63 letters, digits or - _ . between letters or digits")
    return text


InstanceTypes = Annotated[
    tuple[Annotated[str, AfterValidator(instance_type), Allowed("EC2 instance type")], ...],
    Strict(False),
    AfterValidator(unique),
]
Accelerator = Annotated[
    str,
    AfterValidator(accelerator),
    Allowed(f"{NO_ACCELERATOR}, {', '.join(sorted(ACCELERATORS))}"),
    Field(json_schema_extra={"enum": [NO_ACCELERATOR, *sorted(ACCELERATORS)]}),
]
LabelKey = Annotated[str, AfterValidator(label_key)]
Effects = Annotated[
    dict[LabelKey, Effect], Allowed(f"keys to one of {', '.join(f'`{effect}`' for effect in EKS_EFFECTS)}")
]
Labels = Annotated[dict[LabelKey, Annotated[str, AfterValidator(label_value)]], Allowed("labels to their values")]


class NodePoolSpec(Section):
    instance_types: InstanceTypes = Field(min_length=1, max_length=20)
    """Types that AWS may choose from, of one architecture, accelerator and number of accelerators. On-Demand nodes use
    the first available type, so another order creates a new node group and drains the old one. For Spot nodes the order
    has no effect.
    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html#managed-node-group-capacity-types"""
    accelerator: Accelerator = NO_ACCELERATOR
    """Accelerator of the instance types; workloads request it by this name."""
    min_size: int = Field(default=0, ge=0, le=450)
    """Minimum number of nodes, which always run. 450 is the quota of nodes in a managed node group."""
    max_size: int = Field(ge=1, le=450)
    """Maximum number of nodes. https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html"""
    disk_gb: int = Field(default=100, ge=20, le=16384)
    """Root disk of a node. It stores images if the instance has no local disks."""
    capacity: Literal["on_demand", "spot", "capacity_block"] = "on_demand"
    """Purchase option of the nodes. AWS terminates Spot nodes at two minutes' notice; a capacity block is bought in
    advance.
    https://docs.aws.amazon.com/eks/latest/userguide/capacity-blocks-mng.html"""
    capacity_reservation: Annotated[
        str, AfterValidator(reservation), Allowed("id of a capacity reservation, or nothing")
    ] = ""
    """Capacity reservation, or capacity block, that provides the nodes."""
    efa: bool = False
    """If true, nodes get all EFA interfaces of their type, for training over several nodes.
    https://docs.aws.amazon.com/eks/latest/userguide/node-efa.html"""
    placement_group: bool = False
    """If true, AWS places the nodes close together, which leaves less capacity for them."""
    zones: Strings = ()
    """Zones of the nodes; an empty list means all of network.zones."""
    labels: Labels = Field(default_factory=dict[str, str])
    """Additional labels of the nodes; the labels of pool and accelerator are always set."""
    taints: Effects = Field(default_factory=dict[str, Effect])
    """Additional taints of the nodes, with the value `true`; the taint of an accelerator is always set.
    https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"""
    version: Literal["", Minor] = ""
    """Kubernetes version of the nodes until their upgrade; if empty, they use cluster.version."""

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
    def resource(self) -> str | None:
        """Return the extended resource that pods request to get an accelerator of the pool."""
        accelerator = ACCELERATORS.get(self.accelerator)
        return accelerator.vendor.resource if accelerator else None

    @property
    def node_taints(self) -> tuple[Taint, ...]:
        """Return all taints of the nodes: the one of the accelerator, and the additional ones."""
        accelerator = ACCELERATORS.get(self.accelerator)
        additional = (Taint(key=key, value="true", effect=effect) for key, effect in self.taints.items())
        return (*([accelerator.vendor.taint] if accelerator else []), *additional)

    @model_validator(mode="after")
    def types_belong_together(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        if self.max_size < self.min_size:
            fix = f"write at least min_size, which is {self.min_size}"
            yield Problem(field="max_size", value=self.max_size, fix=fix)
        yield from self._types()
        yield from self._buying()
        yield from self._network()
        for label in sorted({"accelerator", "pool"} & set(self.labels)):
            fix = "remove it, the node gets this label from the settings of its pool"
            yield Problem(field=f"labels.{label}", value=self.labels[label], fix=fix)

    def _types(self) -> Iterator[Problem]:
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
        counts = {name: size_of(name).devices for name in self.instance_types}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} has {count}" for name, count in counts.items())
            fix = f"make a pool of each, the autoscaler takes nodes of a pool for equal, and {told}"
            yield Problem(field="instance_types", value=self.instance_types, fix=fix)

    def _buying(self) -> Iterator[Problem]:
        if self.capacity == "capacity_block":
            without = [name for name in self.instance_types if not family_of(name).blocks]
            if without:
                fix = f"write on_demand or spot, {', '.join(without)} cannot be bought as a capacity block"
                yield Problem(field="capacity", value=self.capacity, fix=fix)
            if not self.capacity_reservation:
                fix = "name the capacity block that you bought"
                yield Problem(field="capacity_reservation", value="", fix=fix)
            if len(self.instance_types) > 1:
                fix = "name the one type that the capacity block is of"
                yield Problem(field="instance_types", value=self.instance_types, fix=fix)
        if self.capacity == "spot" and self.capacity_reservation:
            fix = "remove it or write capacity: on_demand, spot instances are never taken from a reservation"
            yield Problem(field="capacity_reservation", value=self.capacity_reservation, fix=fix)
        if (self.capacity_reservation or self.placement_group) and len(self.zones) != 1:
            cause = "a placement group" if self.placement_group else "a reservation"
            fix = f"name one zone, {cause} lies in one"
            yield Problem(field="zones", value=self.zones, fix=fix)

    def _network(self) -> Iterator[Problem]:
        without = [name for name in self.instance_types if not size_of(name).efa]
        if self.efa and without:
            fix = f"write false or choose larger types, {', '.join(without)} has no EFA"
            yield Problem(field="efa", value=True, fix=fix)
        if self.placement_group and self.accelerator == NO_ACCELERATOR and not self.efa:
            fix = "write false, it only makes nodes harder to get for work that does not exchange data all the time"
            yield Problem(field="placement_group", value=True, fix=fix)
