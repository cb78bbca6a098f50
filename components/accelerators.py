"""Table of accelerators: labels, taints and AMIs of their nodes, and the extended resource that pods request.

Node groups, device plugins, exporters, workloads and the validation of the settings all read this table, so a selector
cannot name a label that no node has.

Devices and memory: https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html
AMI types: https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html#AmazonEKS-Type-Nodegroup-amiType
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

NO_ACCELERATOR = "none"
X86, ARM = "x86_64", "arm64"

LABEL = "accelerator"
# On nodes with this label Cluster Autoscaler waits for the devices to appear and adds no further nodes meanwhile.
# https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md#gpu-node-groups
AUTOSCALER_LABEL = "k8s.amazonaws.com/accelerator"
# Extended resource that pods request to get Elastic Fabric Adapter interfaces.
# https://docs.aws.amazon.com/eks/latest/userguide/device-management-efa.html
EFA_RESOURCE = "vpc.amazonaws.com/efa"
STANDARD_IMAGES: Mapping[str, str] = {X86: "AL2023_x86_64_STANDARD", ARM: "AL2023_ARM_64_STANDARD"}

Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
# https://docs.aws.amazon.com/eks/latest/APIReference/API_Taint.html
EKS_EFFECTS: Mapping[Effect, str] = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}


@dataclass(frozen=True, kw_only=True)
class Taint:
    """Taint of a node. `effect` uses the Kubernetes spelling, `eks_effect` the spelling of the EKS API."""

    key: str
    value: str
    effect: Effect

    @property
    def eks_effect(self) -> str:
        return EKS_EFFECTS[self.effect]


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """Vendor of accelerators that share one driver.

    `resource` is the extended resource that the vendor's device plugin advertises and pods request.
    """

    name: str
    resource: str
    images: Mapping[str, str]

    @property
    def taint(self) -> Taint:
        """Return the taint that keeps pods without a request for the device off the node."""
        return Taint(key=self.resource, value="true", effect="NoSchedule")


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """Accelerator type. The EC2 API reports `chip` and `memory_mib` (memory of one device in MiB)."""

    name: str
    vendor: Vendor
    chip: str
    memory_mib: int

    @property
    def memory_gib(self) -> int:
        return self.memory_mib // 1024

    @property
    def labels(self) -> Mapping[str, str]:
        return {LABEL: self.name, AUTOSCALER_LABEL: self.name}


NVIDIA = Vendor(
    name="nvidia",
    resource="nvidia.com/gpu",
    images={X86: "AL2023_x86_64_NVIDIA", ARM: "AL2023_ARM_64_NVIDIA"},
)
# https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
NEURON = Vendor(name="neuron", resource="aws.amazon.com/neuron", images={X86: "AL2023_x86_64_NEURON"})

ACCELERATORS: Mapping[str, Accelerator] = {
    name: Accelerator(name=name, vendor=vendor, chip=chip, memory_mib=memory)
    for name, vendor, chip, memory in (
        ("nvidia-t4", NVIDIA, "T4", 16384),
        ("nvidia-a10g", NVIDIA, "A10G", 22888),
        ("nvidia-l4", NVIDIA, "L4", 22888),
        ("nvidia-l40s", NVIDIA, "L40S", 45776),
        ("nvidia-rtx-pro-6000", NVIDIA, "RTX PRO Server 6000", 98304),
        ("nvidia-a100-40gb", NVIDIA, "A100", 40960),
        ("nvidia-a100-80gb", NVIDIA, "A100", 81920),
        ("nvidia-h100", NVIDIA, "H100", 81920),
        ("nvidia-h200", NVIDIA, "H200", 144384),
        ("nvidia-b200", NVIDIA, "B200", 183359),
        ("nvidia-b300", NVIDIA, "B300", 275040),
        ("aws-inferentia2", NEURON, "Inferentia2", 32768),
        ("aws-trainium", NEURON, "Trainium", 32768),
        ("aws-trainium2", NEURON, "Trainium2", 524288),
    )
}


def image_type(accelerator: str, architecture: str) -> str:
    """Return the EKS AMI type of a node, which includes the driver of the node's accelerator.

    Raises:
        ValueError: EKS has no AMI for this accelerator and architecture.
    """
    images = STANDARD_IMAGES if accelerator == NO_ACCELERATOR else ACCELERATORS[accelerator].vendor.images
    if architecture not in images:
        raise ValueError(f"EKS has no AMI for {accelerator} on {architecture}, only for {', '.join(sorted(images))}")
    return images[architecture]


def of_vendor(vendor: Vendor, names: Iterable[str]) -> tuple[str, ...]:
    """Return the named accelerators that the vendor's device plugin serves, sorted and without duplicates."""
    return tuple(sorted({name for name in names if name in ACCELERATORS and ACCELERATORS[name].vendor == vendor}))
