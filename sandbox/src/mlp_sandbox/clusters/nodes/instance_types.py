"""Capacity of a node by EC2 instance type: processors, memory, accelerators and the number of pods."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from mlp_sandbox.errors import SandboxError

# Share of the nominal memory that the hypervisor and the kernel use, as in Karpenter (VM_MEMORY_OVERHEAD_PERCENT):
# https://karpenter.sh/docs/reference/settings/
_MEMORY_OVERHEAD = 0.075
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
_FEW_CPUS = 30
_MAX_PODS_FEW_CPUS, _MAX_PODS = 110, 250
_ADDRESSES_PER_PREFIX = 16


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """Instance type of EC2.

    Attributes:
        memory_mib: Memory that the kernel sees, in MiB.
        accelerators: Extended resources as device plugins announce them, with their number.
    """

    name: str
    architecture: str
    cpus: int
    memory_mib: int
    accelerators: Mapping[str, int]
    interfaces: int
    addresses_per_interface: int

    def max_pods(self, *, prefix_delegation: bool) -> int:
        """Return the maximum number of pods that EKS sets for a managed node of this type.

        https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html: each network interface keeps one
        address for itself, and two pods use the node's own address. With prefix delegation, each address stands for 16.
        The result has an upper limit.
        """
        addresses = self.interfaces * (self.addresses_per_interface - 1)
        room = addresses * _ADDRESSES_PER_PREFIX + 2 if prefix_delegation else addresses + 2
        return min(room, _MAX_PODS_FEW_CPUS if self.cpus < _FEW_CPUS else _MAX_PODS)


def instance_type(name: str) -> InstanceType:
    """Return an instance type. Raises SandboxError for a type that EC2 does not have."""
    found = _table().get(name)
    if found is None:
        raise SandboxError(
            f"instance type {name!r} is not known to the emulated EC2; see `aws ec2 describe-instance-types`"
        )
    return found


@cache
def _table() -> Mapping[str, InstanceType]:
    # Read the file directly, because the moto module that reads it imports all of EC2.
    content = (resources.files("moto") / "ec2" / "resources" / "instance_types.json.gz").read_bytes()
    return {name: _read(name, raw) for name, raw in json.loads(gzip.decompress(content)).items()}


def _read(name: str, raw: Mapping[str, Any]) -> InstanceType:
    network = raw["NetworkInfo"]
    architectures = [_ARCHITECTURES.get(each) for each in raw["ProcessorInfo"]["SupportedArchitectures"]]
    return InstanceType(
        name=name,
        architecture=next((each for each in architectures if each), "amd64"),
        cpus=int(raw["VCpuInfo"]["DefaultVCpus"]),
        memory_mib=int(raw["MemoryInfo"]["SizeInMiB"] * (1 - _MEMORY_OVERHEAD)),
        accelerators=_accelerators(raw),
        interfaces=int(network["MaximumNetworkInterfaces"]),
        addresses_per_interface=int(network["Ipv4AddressesPerInterface"]),
    )


def _accelerators(raw: Mapping[str, Any]) -> dict[str, int]:
    """Return the extended resources of an instance type, as device plugins announce them.

    https://github.com/NVIDIA/k8s-device-plugin,
    https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
    """
    found: dict[str, int] = {}
    gpus = [each for each in raw.get("GpuInfo", {}).get("Gpus", []) if each["Manufacturer"] == "NVIDIA"]
    if gpus:
        found["nvidia.com/gpu"] = sum(int(each.get("LogicalGpuCount") or each["Count"]) for each in gpus)
    devices = raw.get("NeuronInfo", {}).get("NeuronDevices", [])
    if devices:
        found["aws.amazon.com/neuron"] = sum(int(each["Count"]) for each in devices)
        found["aws.amazon.com/neuroncore"] = sum(int(each["Count"] * each["CoreInfo"]["Count"]) for each in devices)
    return found
