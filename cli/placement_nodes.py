"""The nodes that a program's node groups can have: each group at its maximum, of its smallest instance type. Pure.

Smallest, because AWS and the autoscaler choose among a group's types: what needs a larger one may wait for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from cli.placement_findings import Group
from cli.placement_scheduler import NodeObject
from components.eks.cluster import INTERFACES_POLICY
from sandbox.cluster import simulated_nodes
from sandbox.cluster.instance_types import InstanceType, instance_type
from sandbox.cluster.model import NodeSpec
from sandbox.cluster.nodes import wanted_nodes
from sandbox.emulator.desired import EksAddon, EksCluster, EksInstance, EksNodeGroup, EksTaint
from sandbox.errors import SandboxError

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
_NOWHERE = "unknown-zone"


@dataclass(frozen=True, kw_only=True)
class ProgramNodes:
    groups: tuple[Group, ...]
    objects: tuple[NodeObject, ...]


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource of a program: its type, logical name, and the inputs that it was given."""

    typ: str
    name: str
    inputs: Mapping[str, Any] = field(repr=False)


def nodes_of(resources: Sequence[Declared]) -> ProgramNodes:
    """Raises SandboxError for a program without node groups, or with one that cannot be understood."""
    zones = _zones(resources)
    efa = _efa_interfaces(resources)
    declared = [_group(each, zones, efa) for each in resources if each.typ == NODE_GROUP]
    if not declared:
        raise SandboxError("the program declares no node group, so there is nothing to place workloads on")
    wanted = wanted_nodes(_cluster(resources, declared), real_possible=False)
    for name, problem in wanted.problems.items():
        raise SandboxError(f"node {name}: {problem}")
    specs = {group.name: [spec for spec in wanted.specs if spec.node_group == group.name] for group in declared}
    return ProgramNodes(
        groups=tuple(_summary(group, specs[group.name]) for group in declared),
        objects=tuple(NodeObject(group=name, manifest=_manifest(spec)) for name in specs for spec in specs[name]),
    )


def _group(resource: Declared, zones: Mapping[str, str], efa: Mapping[str, int]) -> EksNodeGroup:
    inputs = resource.inputs
    types = [instance_type(name) for name in inputs.get("instanceTypes") or []]
    if not types:
        raise SandboxError(f"node group {resource.name}: instanceTypes is empty; name at least one")
    smallest = min(types, key=lambda each: (each.cpus, each.memory_mib))
    where = sorted({zones.get(str(subnet), _NOWHERE) for subnet in inputs.get("subnetIds") or []}) or [_NOWHERE]
    most = int(inputs["scalingConfig"]["maxSize"])
    return EksNodeGroup(
        name=resource.name,
        ami_type=str(inputs.get("amiType", "")),
        capacity_type=str(inputs.get("capacityType", "ON_DEMAND")),
        max_size=most,
        labels=dict(inputs.get("labels") or {}),
        taints=tuple(_taint(each) for each in inputs.get("taints") or []),
        instances=tuple(_instance(resource.name, index, smallest, where) for index in range(most)),
        efa_interfaces=efa.get(str((inputs.get("launchTemplate") or {}).get("id")), 0),
    )


def _taint(taint: Mapping[str, Any]) -> EksTaint:
    effect = str(taint["effect"])
    if effect not in _EFFECTS:
        raise SandboxError(f"taint {taint['key']}: effect {effect!r}; EKS spells it as one of {', '.join(_EFFECTS)}")
    return EksTaint(key=str(taint["key"]), value=str(taint.get("value", "")), effect=_EFFECTS[effect])


def _instance(group: str, index: int, kind: InstanceType, zones: Sequence[str]) -> EksInstance:
    name = f"{group}-{index + 1}"
    zone = zones[index % len(zones)]
    return EksInstance(
        instance_id=name, instance_type=kind.name, zone=zone, private_ip="192.0.2.1", private_dns_name=name
    )


def _cluster(resources: Sequence[Declared], groups: Sequence[EksNodeGroup]) -> EksCluster:
    addons = [
        EksAddon(
            name=str(each.inputs["addonName"]),
            version=str(each.inputs.get("addonVersion", "")),
            configuration=json.loads(each.inputs.get("configurationValues") or "{}"),
        )
        for each in resources
        if each.typ == "aws:eks/addon:Addon"
    ]
    clusters = [each.inputs for each in resources if each.typ == "aws:eks/cluster:Cluster"]
    return EksCluster(
        cluster_id="program",
        arn="",
        name="program",
        account="",
        region="",
        version=str(clusters[0].get("version", "")) if clusters else "",
        vpc_cidr="10.0.0.0/16",
        pod_cidr="100.64.0.0/16",
        service_cidr="172.20.0.0/16",
        oidc_issuer="",
        addons=tuple(addons),
        node_groups=tuple(groups),
        gives_pods_interfaces=any(
            str(each.inputs["policyArn"]).endswith(f"/{INTERFACES_POLICY}")
            for each in resources
            if each.typ == "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
        ),
    )


def _zones(resources: Iterable[Declared]) -> dict[str, str]:
    """Zones by subnet; identifiers are the logical name with `-id`, as recorded programs have them."""
    return {
        f"{each.name}-id": str(each.inputs.get("availabilityZone", _NOWHERE))
        for each in resources
        if each.typ == "aws:ec2/subnet:Subnet"
    }


def _efa_interfaces(resources: Iterable[Declared]) -> dict[str, int]:
    """How many EFA interfaces a launch template gives an instance, by its identifier."""
    return {
        f"{each.name}-id": sum(
            nic.get("interfaceType") in ("efa", "efa-only") for nic in each.inputs.get("networkInterfaces") or []
        )
        for each in resources
        if each.typ == "aws:ec2/launchTemplate:LaunchTemplate"
    }


def _summary(group: EksNodeGroup, specs: Sequence[NodeSpec]) -> Group:
    first = specs[0] if specs else None
    room = simulated_nodes.allocatable(first) if first else {"cpu": "0", "memory": "0"}
    return Group(
        name=group.name,
        nodes=len(specs),
        instance_type=first.instance_type if first else "none",
        cpus=float(parse_quantity(room["cpu"])),
        memory_gib=float(parse_quantity(room["memory"])) / 2**30,
        accelerators=dict(first.accelerators) if first else {},
        accelerator=group.labels.get("accelerator", ""),
    )


def _manifest(spec: NodeSpec) -> dict[str, Any]:
    manifest = simulated_nodes.manifest(spec)
    manifest["metadata"]["labels"] = {
        key: value for key, value in spec.labels.items() if key != simulated_nodes.SIMULATED_LABEL
    }
    manifest["metadata"]["annotations"] = {}
    return manifest
