"""Node objects of a node group, as EKS registers its nodes: labels, taints, capacity and allocatable resources.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.accelerators import EFA_RESOURCE
from components.instance_families import POD_INTERFACE
from components.instance_sizes import InstanceSize

# The launch template sets the size of the root volume, which does not affect placement.
EPHEMERAL_STORAGE: Final = "100Gi"
# A recorded program has no addresses, so this is a documentation address. https://www.rfc-editor.org/rfc/rfc5737
_ADDRESS: Final = "192.0.2.1"
# The region does not affect placement, because all nodes of a cluster are in one.
_REGION: Final = ""


@dataclass(frozen=True, kw_only=True)
class NodeKind:
    """Properties that all nodes of a node group share.

    Attributes:
        group: name of the node group.
        size: size of the instance type.
        capacity_type: ON_DEMAND, SPOT or CAPACITY_BLOCK.
        labels: labels that the group sets. Labels of Kubernetes and EKS override them.
        taints: taints in Kubernetes spelling, with key, value and effect.
        prefix_delegation: the VPC CNI assigns prefixes to nodes for their pods.
        pod_interfaces: maximum number of pods per node with a branch network interface.
        efa_interfaces: number of Elastic Fabric Adapter interfaces in the launch template.
    """

    group: str
    size: InstanceSize
    capacity_type: str = "ON_DEMAND"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: Sequence[Mapping[str, str]] = ()
    prefix_delegation: bool = False
    pod_interfaces: int = 0
    efa_interfaces: int = 0

    @property
    def accelerators(self) -> dict[str, int]:
        """Return the extended resources that device plugins advertise, including EFA interfaces.

        https://docs.aws.amazon.com/eks/latest/userguide/device-management-efa.html
        """
        efa = {EFA_RESOURCE: self.efa_interfaces} if self.efa_interfaces else {}
        return {**self.size.accelerators, **efa}

    @property
    def capacity(self) -> dict[str, str]:
        """Return the capacity of a node as Kubernetes quantities."""
        interfaces = {POD_INTERFACE: self.pod_interfaces} if self.pod_interfaces else {}
        return {
            "cpu": str(self.size.cpus),
            "memory": f"{self.size.memory_mib}Mi",
            "pods": str(self.size.max_pods(prefix_delegation=self.prefix_delegation)),
            "ephemeral-storage": EPHEMERAL_STORAGE,
            **{name: str(count) for name, count in {**self.accelerators, **interfaces}.items()},
        }

    @property
    def allocatable(self) -> dict[str, str]:
        """Return the allocatable resources of a node as Kubernetes quantities."""
        left = self.size.allocatable(prefix_delegation=self.prefix_delegation)
        return {**self.capacity, "cpu": f"{left.millicores}m", "memory": f"{left.memory_mib}Mi"}

    def manifest(self, name: str, zone: str) -> dict[str, Any]:
        """Return the Node object including its status, which the API server accepts at creation.

        Args:
            name: name of the node, also used as its instance id.
            zone: availability zone.
        """
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": self._labels(name, zone), "annotations": {}},
            "spec": {"providerID": f"aws:///{zone}/{name}", "taints": [dict(each) for each in self.taints]},
            "status": {
                "addresses": [
                    {"type": "InternalIP", "address": _ADDRESS},
                    {"type": "Hostname", "address": name},
                    {"type": "InternalDNS", "address": name},
                ],
                "capacity": self.capacity,
                "allocatable": self.allocatable,
                "nodeInfo": {"architecture": self.size.architecture, "operatingSystem": "linux"},
            },
        }

    def _labels(self, name: str, zone: str) -> dict[str, str]:
        """Return the labels that the kubelet, the cloud controller and EKS set, and the labels of the group.

        https://kubernetes.io/docs/reference/labels-annotations-taints/,
        https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
        """
        return {
            **self.labels,
            "beta.kubernetes.io/arch": self.size.architecture,
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/instance-type": self.size.name,
            "failure-domain.beta.kubernetes.io/region": _REGION,
            "failure-domain.beta.kubernetes.io/zone": zone,
            "kubernetes.io/arch": self.size.architecture,
            "kubernetes.io/os": "linux",
            "kubernetes.io/hostname": name,
            "node.kubernetes.io/instance-type": self.size.name,
            "topology.kubernetes.io/region": _REGION,
            "topology.kubernetes.io/zone": zone,
            "eks.amazonaws.com/nodegroup": self.group,
            "eks.amazonaws.com/capacityType": self.capacity_type,
        }
