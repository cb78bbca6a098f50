"""Nodes of a program's node groups: each group at its maximum size, with its smallest instance type. Pure.

AWS and the autoscaler choose among a group's types, so a pod that needs a larger type than the smallest may stay
pending.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kubernetes.utils.quantity import parse_quantity

from components.accelerators import EKS_EFFECTS, LABEL
from components.eks.cluster import INTERFACES_POLICY
from components.instance_sizes import InstanceSize, smallest_of
from mlp.console import PlainError
from mlp.placement.findings import Group
from mlp.placement.node_kinds import NodeKind
from mlp.placement.scheduler import NodeObject

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
_EFFECTS: Final[Mapping[str, str]] = {eks: kubernetes for kubernetes, eks in EKS_EFFECTS.items()}
_NOWHERE: Final = "unknown-zone"


@dataclass(frozen=True, kw_only=True)
class ProgramNodes:
    groups: tuple[Group, ...]
    objects: tuple[NodeObject, ...]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """Resource of a program: its type, logical name and inputs."""

    typ: str
    name: str
    inputs: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Program:
    """Properties that node groups take from other resources of the program.

    Ids are the logical name with `-id`, as in recorded programs.
    """

    zones: Mapping[str, str]
    efa_interfaces: Mapping[str, int]
    prefix_delegation: bool
    pod_interfaces: bool


def nodes_of(resources: Sequence[Declared]) -> ProgramNodes:
    """Return the nodes of all node groups, and a summary of each group.

    Nodes of a group are distributed over its zones in turn.

    Args:
        resources: all resources that the program declares.

    Raises:
        PlainError: the program has no node group, or a node group is invalid.
    """
    program = _read(resources)
    groups: list[Group] = []
    objects: list[NodeObject] = []
    for resource in resources:
        if resource.typ != NODE_GROUP:
            continue
        kind, count, zones = _kind(resource, program), _count(resource), _zones(resource, program)
        groups.append(_summary(kind, count))
        for index in range(count):
            manifest = kind.manifest(f"{kind.group}-{index + 1}", zones[index % len(zones)])
            objects.append(NodeObject(group=kind.group, manifest=manifest))
    if not groups:
        raise PlainError("the program declares no node group, so there is nothing to place workloads on")
    return ProgramNodes(groups=tuple(groups), objects=tuple(objects))


def _read(resources: Sequence[Declared]) -> _Program:
    """Read the resources that node groups refer to.

    Pods get branch network interfaces if the cluster's role and the VPC CNI allow them:
    https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html
    """
    cni = _cni_environment(resources)
    managed = any(
        str(each["policyArn"]).endswith(f"/{INTERFACES_POLICY}")
        for _, each in _of_type(resources, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    )
    return _Program(
        zones={
            f"{name}-id": str(inputs.get("availabilityZone", _NOWHERE))
            for name, inputs in _of_type(resources, "aws:ec2/subnet:Subnet")
        },
        efa_interfaces={
            f"{name}-id": sum(
                nic.get("interfaceType") in ("efa", "efa-only") for nic in inputs.get("networkInterfaces") or []
            )
            for name, inputs in _of_type(resources, "aws:ec2/launchTemplate:LaunchTemplate")
        },
        prefix_delegation=_is_true(cni.get("ENABLE_PREFIX_DELEGATION")),
        pod_interfaces=managed and _is_true(cni.get("ENABLE_POD_ENI")),
    )


def _cni_environment(resources: Sequence[Declared]) -> Mapping[str, Any]:
    """Return the variables of the VPC CNI add-on. https://github.com/aws/amazon-vpc-cni-k8s#cni-configuration-variables"""
    for _, inputs in _of_type(resources, "aws:eks/addon:Addon"):
        if inputs["addonName"] == "vpc-cni":
            found = json.loads(inputs.get("configurationValues") or "{}").get("env")
            if isinstance(found, Mapping):
                return found
    return {}


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _kind(resource: Declared, program: _Program) -> NodeKind:
    inputs = resource.inputs
    size = _smallest(resource)
    return NodeKind(
        group=resource.name,
        size=size,
        capacity_type=str(inputs.get("capacityType", "ON_DEMAND")),
        labels=dict(inputs.get("labels") or {}),
        taints=tuple(_taint(each) for each in inputs.get("taints") or []),
        prefix_delegation=program.prefix_delegation,
        pod_interfaces=size.branch_interfaces if program.pod_interfaces else 0,
        efa_interfaces=program.efa_interfaces.get(str((inputs.get("launchTemplate") or {}).get("id")), 0),
    )


def _smallest(resource: Declared) -> InstanceSize:
    types = resource.inputs.get("instanceTypes") or []
    if not types:
        raise PlainError(f"node group {resource.name}: instanceTypes is empty; name at least one")
    try:
        return smallest_of(types)
    except ValueError as error:
        raise PlainError(f"node group {resource.name}: {error}") from error


def _count(resource: Declared) -> int:
    return int(resource.inputs["scalingConfig"]["maxSize"])


def _zones(resource: Declared, program: _Program) -> list[str]:
    subnets = resource.inputs.get("subnetIds") or []
    return sorted({program.zones.get(str(subnet), _NOWHERE) for subnet in subnets}) or [_NOWHERE]


def _taint(taint: Mapping[str, Any]) -> dict[str, str]:
    effect = str(taint["effect"])
    if effect not in _EFFECTS:
        raise PlainError(f"taint {taint['key']}: effect {effect!r}; EKS spells it as one of {', '.join(_EFFECTS)}")
    return {"key": str(taint["key"]), "value": str(taint.get("value", "")), "effect": _EFFECTS[effect]}


def _summary(kind: NodeKind, count: int) -> Group:
    """Return the summary of a group; a group without nodes offers no resources."""
    label = kind.labels.get(LABEL, "")
    if not count:
        return Group(name=kind.group, nodes=0, instance_type="none", cpus=0.0, memory_gib=0.0, accelerator=label)
    room = kind.allocatable
    return Group(
        name=kind.group,
        nodes=count,
        instance_type=kind.size.name,
        cpus=float(parse_quantity(room["cpu"])),
        memory_gib=float(parse_quantity(room["memory"])) / 2**30,
        accelerators=kind.accelerators,
        accelerator=label,
    )


def _of_type(resources: Iterable[Declared], typ: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return logical names and inputs of the resources of one type."""
    return [(each.name, each.inputs) for each in resources if each.typ == typ]
