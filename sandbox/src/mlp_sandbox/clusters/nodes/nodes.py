"""Desired nodes of a cluster, derived from the instances of its node groups as EKS would register them.

The functions are pure. They decide which nodes are real, and compute the specification of each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from mlp_sandbox.clusters.model import NodeSpec
from mlp_sandbox.clusters.nodes.branch_interfaces import branch_interfaces
from mlp_sandbox.clusters.nodes.instance_types import InstanceType, instance_type
from mlp_sandbox.clusters.nodes.simulated_nodes import SIMULATED_LABEL
from mlp_sandbox.contracts.desired import EksCluster, EksInstance, EksNodeGroup, EksTaint
from mlp_sandbox.errors import SandboxError

REAL_GENERAL_NODES = 2
REAL_ACCELERATED_NODES = 1
ACCELERATOR_TAINTS = ("nvidia.com/gpu", "aws.amazon.com/neuron")
# https://docs.aws.amazon.com/eks/latest/userguide/device-management-efa.html
EFA = "vpc.amazonaws.com/efa"
POD_INTERFACE = "vpc.amazonaws.com/pod-eni"
SIMULATED_TAINT = EksTaint(key=SIMULATED_LABEL, value="true", effect="PreferNoSchedule")
# Used if the VPC has no second range for pods. EKS documents these ranges for pods.
# https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html
_FALLBACK_POD_RANGES = ("100.64.0.0/16", "198.19.0.0/16")
_NODE_PREFIX = 24


@dataclass(frozen=True, kw_only=True)
class WantedNodes:
    """Desired nodes of a cluster. `problems` maps the name of an instance to the reason why it cannot become a node."""

    specs: tuple[NodeSpec, ...]
    problems: Mapping[str, str] = field(default_factory=dict[str, str])


def wanted_nodes(
    cluster: EksCluster, *, real_before: Mapping[str, str | None] | None = None, real_possible: bool = True
) -> WantedNodes:
    """Return the desired nodes of a cluster.

    Args:
        cluster: The desired cluster.
        real_before: Nodes that are already real, with the pod range of each. They stay as they are.
        real_possible: True if this machine can run real nodes.
    """
    before = real_before or {}
    real = choose_real(cluster, before) if real_possible else frozenset[str]()
    ranges = assign_pod_ranges(pod_range(cluster), {name: before.get(name) for name in sorted(real)})
    specs: list[NodeSpec] = []
    problems: dict[str, str] = {}
    for group in cluster.node_groups:
        has_real = any(instance.private_dns_name in real for instance in group.instances)
        for instance in group.instances:
            name = instance.private_dns_name
            if name in real and ranges[name] is None:
                problems[name] = (
                    f"pod range {pod_range(cluster)} is exhausted: it has no /{_NODE_PREFIX} left for this node; "
                    "give the cluster a larger one"
                )
                continue
            try:
                specs.append(_spec(cluster, group, instance, real=name in real, taint=has_real, pods=ranges.get(name)))
            except SandboxError as error:
                problems[name] = str(error)
    return WantedNodes(specs=tuple(specs), problems=problems)


def is_accelerated(group: EksNodeGroup) -> bool:
    """Return True if the group's taint keeps off pods that request no accelerator."""
    return any(taint.key in ACCELERATOR_TAINTS for taint in group.taints)


def choose_real(cluster: EksCluster, before: Collection[str]) -> frozenset[str]:
    """Return the names of the nodes that are real, because a machine has room for only a few.

    Nodes that are already real stay real. The others follow in the order of group and instance; among the general
    groups, those that accept any pod come first. Groups with EFA interfaces get no real node, because nothing here
    could provide such an interface to their pods.
    """
    chosen: set[str] = set()
    for accelerated, room in ((False, REAL_GENERAL_NODES), (True, REAL_ACCELERATED_NODES)):
        groups = sorted(
            (
                group
                for group in cluster.node_groups
                if is_accelerated(group) == accelerated and not group.efa_interfaces
            ),
            key=lambda each: (not accelerated and _keeps_off(each), each.name),
        )
        names = [
            instance.private_dns_name
            for group in groups
            for instance in sorted(group.instances, key=lambda each: each.instance_id)
        ]
        ordered = [*(name for name in names if name in before), *(name for name in names if name not in before)]
        chosen.update(ordered[:room])
    return frozenset(chosen)


def _keeps_off(group: EksNodeGroup) -> bool:
    return any(taint.effect != "PreferNoSchedule" for taint in group.taints)


def pod_range(cluster: EksCluster) -> str:
    """Return the cluster's pod range.

    If pods share the VPC's range with the nodes, another range is used, because a node here routes its own /24.
    """
    mine = IPv4Network(cluster.pod_cidr)
    taken = [IPv4Network(cluster.vpc_cidr), IPv4Network(cluster.service_cidr)]
    if not any(mine.overlaps(each) for each in taken):
        return cluster.pod_cidr
    for other in _FALLBACK_POD_RANGES:
        if not any(IPv4Network(other).overlaps(each) for each in taken):
            return other
    raise SandboxError(
        f"no range is left for pods beside the VPC's {cluster.vpc_cidr} and the services' {cluster.service_cidr}"
    )


def simulated_pod_range(pods: str) -> str:
    """Return the upper half of the range, for the addresses that KWOK assigns."""
    network = IPv4Network(pods)
    return str(list(network.subnets(1))[1]) if network.prefixlen < 32 else pods


def assign_pod_ranges(pods: str, before: Mapping[str, str | None]) -> dict[str, str | None]:
    """Assign a /24 of the lower half of the pod range to each real node.

    A node keeps its previous range, or else gets the first free one. The value is None if no range is free.
    """
    network = IPv4Network(pods)
    half = next(network.subnets(1)) if network.prefixlen < 32 else network
    free = [str(each) for each in half.subnets(new_prefix=_NODE_PREFIX)] if half.prefixlen <= _NODE_PREFIX else []
    assigned = {name: cidr if cidr in free else None for name, cidr in before.items()}
    unused = [cidr for cidr in free if cidr not in assigned.values()]
    for name, cidr in assigned.items():
        if cidr is None and unused:
            assigned[name] = unused.pop(0)
    return assigned


def labels(region: str, group: EksNodeGroup, instance: EksInstance, kind: InstanceType) -> dict[str, str]:
    """Return the labels that the kubelet, the cloud controller and EKS set. They override labels of the group.

    https://kubernetes.io/docs/reference/labels-annotations-taints/,
    https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
    """
    return {
        **group.labels,
        "beta.kubernetes.io/arch": kind.architecture,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/instance-type": instance.instance_type,
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": instance.zone,
        "kubernetes.io/arch": kind.architecture,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": instance.private_dns_name,
        "node.kubernetes.io/instance-type": instance.instance_type,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": instance.zone,
        "eks.amazonaws.com/nodegroup": group.name,
        "eks.amazonaws.com/capacityType": group.capacity_type,
    }


def prefix_delegation(cluster: EksCluster) -> bool:
    """Return True if the VPC CNI's configuration gives nodes whole prefixes for their pods.

    https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html
    """
    return _cni_has(cluster, "ENABLE_PREFIX_DELEGATION")


def pod_interfaces(cluster: EksCluster, instance_type: str) -> int:
    """Return the number of pods per node that can have their own network interface, and therefore security groups.

    https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html
    """
    if not cluster.gives_pods_interfaces or not _cni_has(cluster, "ENABLE_POD_ENI"):
        return 0
    return branch_interfaces(instance_type)


def _cni_has(cluster: EksCluster, variable: str) -> bool:
    for addon in cluster.addons:
        environment: Any = addon.configuration.get("env") if addon.name == "vpc-cni" else None
        if isinstance(environment, Mapping):
            return str(environment.get(variable, "false")).lower() == "true"
    return False


def _spec(
    cluster: EksCluster, group: EksNodeGroup, instance: EksInstance, *, real: bool, taint: bool, pods: str | None
) -> NodeSpec:
    kind = instance_type(instance.instance_type)
    own = labels(cluster.region, group, instance, kind)
    simulated = {} if real else {SIMULATED_LABEL: "true"}
    interfaces = pod_interfaces(cluster, instance.instance_type)
    return NodeSpec(
        name=instance.private_dns_name,
        provider_id=f"aws:///{instance.zone}/{instance.instance_id}",
        private_ip=instance.private_ip,
        instance_type=instance.instance_type,
        zone=instance.zone,
        node_group=group.name,
        labels={**own, **simulated},
        taints=(*group.taints, *((SIMULATED_TAINT,) if taint and not real else ())),
        cpus=kind.cpus,
        memory_mib=kind.memory_mib,
        max_pods=kind.max_pods(prefix_delegation=prefix_delegation(cluster)),
        accelerators={**kind.accelerators, **({EFA: group.efa_interfaces} if group.efa_interfaces else {})},
        interfaces={POD_INTERFACE: interfaces} if interfaces else {},
        real=real,
        pod_cidr=pods,
    )
