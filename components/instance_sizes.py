"""Sizes of the EC2 instance types that pools may use, and the allocatable resources of a node of each type.

The numbers are in instance_sizes.csv, which names its sources. Architecture and accelerator devices are those of
`components.instance_families`. Extended resources have the names that device plugins advertise.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from components.accelerators import ACCELERATORS, ARM, NEURON, X86
from components.instance_families import family_of, size_of

TABLE: Final = Path(__file__).with_name("instance_sizes.csv")
# https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
NEURON_CORE: Final = "aws.amazon.com/neuroncore"
# https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-arch
_ARCHITECTURES: Final[Mapping[str, str]] = {X86: "amd64", ARM: "arm64"}
# Share of the nominal memory that hypervisor and kernel use, as Karpenter estimates it (VM_MEMORY_OVERHEAD_PERCENT).
# https://karpenter.sh/docs/reference/settings/
_MEMORY_OVERHEAD: Final = 0.075
# https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html
_FEW_CPUS: Final = 30
_MAX_PODS_FEW_CPUS: Final = 110
_MAX_PODS: Final = 250
# https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html
_ADDRESSES_PER_PREFIX: Final = 16
# Reserved share of the first, second, ... processor, and of each further one, in hundredths of a percent.
# https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
_CPU_SHARES: Final = (600, 100, 50, 50)
_CPU_SHARE_BEYOND: Final = 25
_MEMORY_PER_POD_MIB: Final = 11
_MEMORY_BASE_MIB: Final = 255
# https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#hard-eviction-thresholds
_EVICTION_MIB: Final = 100


@dataclass(frozen=True, kw_only=True)
class Amount:
    """CPU in thousandths of a virtual processor, and memory in MiB."""

    millicores: int
    memory_mib: int


@dataclass(frozen=True, kw_only=True)
class InstanceSize:
    """Size of one instance type.

    Attributes:
        name: instance type, such as m7i.large.
        cpus: number of virtual processors.
        nominal_memory_mib: memory in MiB, as EC2 reports it.
        interfaces: maximum number of network interfaces of an instance.
        addresses_per_interface: number of IPv4 addresses of each interface.
        devices: number of accelerators, such as GPUs.
        neuron_cores: total number of cores of all Neuron devices.
        branch_interfaces: maximum number of pods with a branch network interface, and so with their own security
            groups.
    """

    name: str
    cpus: int
    nominal_memory_mib: int
    interfaces: int
    addresses_per_interface: int
    devices: int
    neuron_cores: int
    branch_interfaces: int

    @property
    def memory_mib(self) -> int:
        """Return the memory in MiB that the kernel of a node sees."""
        return int(self.nominal_memory_mib * (1 - _MEMORY_OVERHEAD))

    @property
    def architecture(self) -> str:
        """Return the architecture as Kubernetes spells it: amd64 or arm64."""
        return _ARCHITECTURES[family_of(self.name).architecture]

    @property
    def accelerators(self) -> dict[str, int]:
        """Return the number of each extended resource, as the device plugins of NVIDIA and Neuron advertise them.

        https://github.com/NVIDIA/k8s-device-plugin,
        https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
        """
        if not self.devices:
            return {}
        vendor = ACCELERATORS[family_of(self.name).accelerator].vendor
        cores = {NEURON_CORE: self.neuron_cores} if vendor == NEURON else {}
        return {vendor.resource: self.devices, **cores}

    def max_pods(self, *, prefix_delegation: bool) -> int:
        """Return the maximum number of pods that EKS sets for a managed node of this type.

        Each network interface keeps one address for itself, and two pods use the node's own address. EKS caps the
        number by the number of processors. https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html

        Args:
            prefix_delegation: the VPC CNI assigns prefixes to nodes, so that each address slot provides 16 addresses.
        """
        addresses = self.interfaces * (self.addresses_per_interface - 1)
        room = addresses * (_ADDRESSES_PER_PREFIX if prefix_delegation else 1) + 2
        return min(room, _MAX_PODS_FEW_CPUS if self.cpus < _FEW_CPUS else _MAX_PODS)

    def reserved(self, *, prefix_delegation: bool) -> Amount:
        """Return the resources that Amazon's AMIs reserve for the system (kubeReserved), which grow with `max_pods`.

        https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
        """
        shares = (*_CPU_SHARES[: self.cpus], *[_CPU_SHARE_BEYOND] * max(0, self.cpus - len(_CPU_SHARES)))
        pods = self.max_pods(prefix_delegation=prefix_delegation)
        return Amount(millicores=sum(shares) // 10, memory_mib=_MEMORY_PER_POD_MIB * pods + _MEMORY_BASE_MIB)

    def allocatable(self, *, prefix_delegation: bool) -> Amount:
        """Return the resources left for pods after `reserved` and the hard eviction threshold; never negative memory.

        https://kubernetes.io/docs/tasks/administer-cluster/reserve-compute-resources/#node-allocatable
        """
        kept = self.reserved(prefix_delegation=prefix_delegation)
        return Amount(
            millicores=self.cpus * 1000 - kept.millicores,
            memory_mib=max(self.memory_mib - kept.memory_mib - _EVICTION_MIB, 0),
        )


def instance_size(name: str) -> InstanceSize:
    """Return the size of an instance type, such as m7i.large.

    Raises:
        ValueError: the type is missing from the table of families or from the table of sizes.
    """
    try:
        devices = size_of(name).devices
    except ValueError as error:
        raise ValueError(f"instance type {name!r}: {error}") from None
    row = _rows().get(name)
    if row is None:
        raise ValueError(f"instance type {name!r} has no row in components/{TABLE.name}; add one")
    return InstanceSize(
        name=name,
        cpus=int(row["vcpus"]),
        nominal_memory_mib=int(row["memory_mib"]),
        interfaces=int(row["interfaces"]),
        addresses_per_interface=int(row["addresses_per_interface"]),
        devices=devices,
        neuron_cores=int(row["neuron_cores"]),
        branch_interfaces=int(row["branch_interfaces"]),
    )


def smallest_of(names: Iterable[str]) -> InstanceSize:
    """Return the type with the fewest processors, and among those the one with the least memory.

    AWS and the autoscaler choose among a pool's types, so pods can rely only on the smallest.

    Args:
        names: instance types, at least one.

    Raises:
        ValueError: a type is unknown, or the list is empty.
    """
    return min(map(instance_size, names), key=lambda each: (each.cpus, each.memory_mib))


@cache
def _rows() -> Mapping[str, Mapping[str, str]]:
    """Return the table's rows by instance type."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {row["instance_type"]: row for row in csv.DictReader(lines)}
