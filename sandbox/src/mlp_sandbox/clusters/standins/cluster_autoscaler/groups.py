"""Auto Scaling groups, and the template of the node that each would add. The functions are pure.

These tags describe the nodes of a group without instances:
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#auto-discovery-setup
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from .fit import less, taken, why_not_placed
from .objects import Json, Node, Pod, Taint, resources

TEMPLATE_PREFIX = "k8s.io/cluster-autoscaler/node-template/"
GPU = "nvidia.com/gpu"
GPU_LABEL = "k8s.amazonaws.com/accelerator"
"""Label of nodes whose GPUs a device plugin announces. Until then, such a node is not ready for the original."""

DELETION_TAINT = "ToBeDeletedByClusterAutoscaler"
_PODS = 110  # the original assumes this for every instance type
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
# Labels of a single node and not of its group, and taints that Kubernetes or this program set temporarily.
_OWN_LABELS = ("kubernetes.io/hostname",)
_ALIKE = Decimal("0.05")  # the original's max-allocatable-difference-ratio
_STARTING_TAINTS = ("node.kubernetes.io/not-ready", "node.cloudprovider.kubernetes.io/uninitialized")
_PASSING_TAINTS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Auto Scaling group.

    Attributes:
        instances: Ids of its instances.
        template: New node of the group; None while its properties are unknown.
    """

    name: str
    minimum: int
    maximum: int
    desired: int
    instances: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    template: Node | None = None


def from_tags(tags: Mapping[str, str], kind: str) -> dict[str, str]:
    """Return the group's tags of one kind (label, taint, resources), without their prefix."""
    prefix = f"{TEMPLATE_PREFIX}{kind}/"
    return {key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)}


def template_from_type(group: Group, instance_type: Json, node_group: Json | None) -> Node:
    """Return a new node as described by the instance type, the EKS node group and the group's tags.

    The inputs are responses of ec2:DescribeInstanceTypes and eks:DescribeNodegroup.
    """
    architecture: str = instance_type["ProcessorInfo"]["SupportedArchitectures"][0]
    zone = group.zones[0] if group.zones else ""
    labels: dict[str, str] = {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": {"x86_64": "amd64"}.get(architecture, architecture),
        "node.kubernetes.io/instance-type": instance_type["InstanceType"],
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": zone[:-1],
    }
    capacity = {
        "cpu": Decimal(instance_type["VCpuInfo"]["DefaultVCpus"]),
        "memory": Decimal(instance_type["MemoryInfo"]["SizeInMiB"]) * 1024 * 1024,
        "ephemeral-storage": Decimal(20 * 1024**3),
        "pods": Decimal(_PODS),
    }
    gpus = sum(each["Count"] for each in (instance_type.get("GpuInfo") or {}).get("Gpus") or [])
    if gpus:
        capacity[GPU] = Decimal(gpus)
    taints: list[Taint] = []
    if node_group is not None:
        labels["eks.amazonaws.com/nodegroup"] = node_group["nodegroupName"]
        labels["eks.amazonaws.com/capacityType"] = node_group.get("capacityType") or "ON_DEMAND"
        labels |= node_group.get("labels") or {}
        taints += [
            Taint(key=each["key"], value=each.get("value") or "", effect=_EFFECTS[each["effect"]])
            for each in node_group.get("taints") or []
        ]
    labels |= from_tags(group.tags, "label")
    taints += [taint for key, text in from_tags(group.tags, "taint").items() if (taint := _taint(key, text))]
    capacity |= resources(from_tags(group.tags, "resources"))
    return Node(labels=labels, taints=tuple(dict.fromkeys(taints)), allocatable=capacity)


def template_from_node(node: Node) -> Node:
    """Return a new node that is like an existing node of the group."""
    return replace(
        node,
        name="",
        instance_id=None,
        labels={key: value for key, value in node.labels.items() if key not in _OWN_LABELS},
        taints=tuple(
            each for each in node.taints if each.key != DELETION_TAINT and not each.key.startswith(_PASSING_TAINTS)
        ),
    )


def with_daemon_sets(template: Node, daemon_pods: Iterable[Pod]) -> Node:
    """Return a template without the resources that the pods of matching DaemonSets request."""
    there = [each for each in daemon_pods if why_not_placed(each, template) is None]
    return replace(template, allocatable=less(template.allocatable, taken(there)))


def usable(node: Node) -> bool:
    """Return True if pods can run on a node now: it is ready and has the GPUs that its label promises."""
    starting = any(taint.key in _STARTING_TAINTS for taint in node.taints)
    return node.ready and not starting and not (GPU_LABEL in node.labels and not node.allocatable.get(GPU))


def similar(first: Group, second: Group) -> bool:
    """Return True if two groups differ only in zone, so that they can be balanced."""
    one, other = first.template, second.template
    if one is None or other is None or _kind(one) != _kind(other):
        return False
    pairs = [(amount, other.allocatable.get(name, Decimal(0))) for name, amount in one.allocatable.items()]
    same_names = one.allocatable.keys() == other.allocatable.keys()
    return same_names and all(abs(mine - theirs) <= max(mine, theirs) * _ALIKE for mine, theirs in pairs)


def matches(group_tags: Mapping[str, str], discovery: Sequence[Mapping[str, str | None]]) -> bool:
    """Return True if a group has all tags of one of the discovery flags."""
    return any(
        all(key in group_tags and value in (None, group_tags[key]) for key, value in wanted.items())
        for wanted in discovery
    )


def _kind(node: Node) -> tuple[object, ...]:
    passed_over = ("topology.", "failure-domain.", "eks.amazonaws.com/", "alpha.eksctl.io/", "kubernetes.io/hostname")
    labels = {key: value for key, value in node.labels.items() if not key.startswith(passed_over)}
    return labels, frozenset(node.taints)


def _taint(key: str, text: str) -> Taint | None:
    """Parse the value `<value>:<effect>` of a tag as a taint, or return None if it has another format."""
    value, colon, effect = text.rpartition(":")
    return Taint(key=key, value=value, effect=effect) if colon else None
