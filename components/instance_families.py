"""Instance families that pools and databases may use. An unknown or mistyped one is rejected before any AWS call.

Families and sizes: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
Accelerators: https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html
EFA: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html
Capacity Blocks: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-blocks-prerequisites.html
The table omits bare-metal sizes, because nodes do not need them. A test compares it with a catalogue of the EC2 API.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from components.accelerators import ARM, NO_ACCELERATOR, X86


@dataclass(frozen=True)
class Size:
    """Number of accelerator devices and of EFA interfaces of one instance."""

    devices: int = 0
    efa: int = 0


@dataclass(frozen=True)
class Family:
    """Instance family.

    `store` is true for families with local NVMe disks. `blocks` is true if a Capacity Block can reserve them by the
    day.
    """

    architecture: str
    sizes: Mapping[str, Size]
    accelerator: str
    store: bool
    blocks: bool
    efa_on_first_card: bool


def _family(
    architecture: str,
    sizes: str,
    accelerator: str = NO_ACCELERATOR,
    *,
    store: bool = False,
    blocks: bool = False,
    efa_on_first_card: bool = True,
) -> Family:
    """Return a family.

    `sizes` contains words such as `48xlarge:8:32`: size, devices, EFA interfaces; a missing number is 0.
    """
    parsed = {name: Size(*(int(number) for number in numbers)) for name, *numbers in map(_parts, sizes.split())}
    return Family(architecture, parsed, accelerator, store, blocks, efa_on_first_card)


def _parts(word: str) -> list[str]:
    return word.split(":")


FAMILIES: Mapping[str, Family] = {
    "t3": _family(X86, "nano micro small medium large xlarge 2xlarge"),
    "t3a": _family(X86, "nano micro small medium large xlarge 2xlarge"),
    "t4g": _family(ARM, "nano micro small medium large xlarge 2xlarge"),
    "m5": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "m5a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "m6a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1"),
    "m6g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "m6i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge:0:1"),
    "m7a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1"),
    "m7g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge:0:1"),
    "m7i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge:0:1"),
    "m7i-flex": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "m8a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge:0:1"),
    "m8g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge:0:1 48xlarge:0:1"),
    "m8i": _family(
        X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1 96xlarge:0:1"
    ),
    "c5": _family(X86, "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge"),
    "c6a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1"),
    "c6g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "c6i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge:0:1"),
    "c7a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1"),
    "c7g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge:0:1"),
    "c7i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge:0:1"),
    "c8g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge:0:1 48xlarge:0:1"),
    "c8i": _family(
        X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1 96xlarge:0:1"
    ),
    "r5": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "r6a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1"),
    "r6g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "r6i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge:0:1"),
    "r7a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1"),
    "r7g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge:0:1"),
    "r7i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge:0:1"),
    "r8g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge:0:1 48xlarge:0:1"),
    "r8i": _family(
        X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge:0:1 96xlarge:0:1"
    ),
    "i4i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge:0:1", store=True),
    "g4dn": _family(X86, "xlarge:1 2xlarge:1 4xlarge:1 8xlarge:1:1 12xlarge:4:1 16xlarge:1:1", "nvidia-t4", store=True),
    "g5": _family(
        X86,
        "xlarge:1 2xlarge:1 4xlarge:1 8xlarge:1:1 12xlarge:4:1 16xlarge:1:1 24xlarge:4:1 48xlarge:8:1",
        "nvidia-a10g",
        store=True,
    ),
    "g6": _family(
        X86,
        "xlarge:1 2xlarge:1 4xlarge:1 8xlarge:1:1 12xlarge:4:1 16xlarge:1:1 24xlarge:4:1 48xlarge:8:1",
        "nvidia-l4",
        store=True,
    ),
    "gr6": _family(X86, "4xlarge:1 8xlarge:1:1", "nvidia-l4", store=True),
    "g6e": _family(
        X86,
        "xlarge:1 2xlarge:1 4xlarge:1 8xlarge:1:1 12xlarge:4:1 16xlarge:1:1 24xlarge:4:2 48xlarge:8:4",
        "nvidia-l40s",
        store=True,
    ),
    "g7e": _family(
        X86, "2xlarge:1 4xlarge:1 8xlarge:1:1 12xlarge:2:1 24xlarge:4:2 48xlarge:8:4", "nvidia-rtx-pro-6000", store=True
    ),
    "p4d": _family(X86, "24xlarge:8:4", "nvidia-a100-40gb", store=True, blocks=True),
    "p4de": _family(X86, "24xlarge:8:4", "nvidia-a100-80gb", store=True, blocks=True),
    "p5": _family(X86, "4xlarge:1:1 48xlarge:8:32", "nvidia-h100", store=True, blocks=True),
    "p5e": _family(X86, "48xlarge:8:32", "nvidia-h200", store=True, blocks=True),
    "p5en": _family(X86, "48xlarge:8:16", "nvidia-h200", store=True, blocks=True),
    "p6-b200": _family(X86, "48xlarge:8:8", "nvidia-b200", store=True, blocks=True),
    "p6-b300": _family(X86, "48xlarge:8:16", "nvidia-b300", store=True, blocks=True, efa_on_first_card=False),
    "inf2": _family(X86, "xlarge:1 8xlarge:1 24xlarge:6 48xlarge:12", "aws-inferentia2"),
    "trn1": _family(X86, "2xlarge:1 32xlarge:16:8", "aws-trainium", store=True, blocks=True),
    "trn1n": _family(X86, "32xlarge:16:16", "aws-trainium", store=True),
    "trn2": _family(X86, "3xlarge:1:1 48xlarge:16:16", "aws-trainium2", store=True, blocks=True),
}

# Branch network interfaces of pods: EKS's resource name, and the families and types whose instances have none for pods.
# https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html#sg-pods-considerations
# https://github.com/aws/amazon-vpc-resource-controller-k8s/blob/master/pkg/aws/vpc/limits.go (IsTrunkingCompatible)
POD_INTERFACE = "vpc.amazonaws.com/pod-eni"
WITHOUT_POD_INTERFACES = frozenset({"t3", "t3a", "t4g", "i4i.large"})

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html (PostgreSQL)
DATABASE_FAMILIES = ("t3", "t4g", "m5", "m6g", "m6i", "m7g", "m7i", "m8g", "r5", "r6g", "r6i", "r7g", "r7i", "r8g")


def family_of(instance_type: str) -> Family:
    """Return the family of a type such as `m7i.large`.

    Raises:
        ValueError: the type is unknown; the message suggests a replacement.
    """
    name, _, size = instance_type.partition(".")
    family = FAMILIES.get(name)
    if family is None:
        raise ValueError(f"there is no instance family '{name}' in the table of families{_perhaps(name, FAMILIES)}")
    if size not in family.sizes:
        raise ValueError(f"family {name} has no size '{size}', its sizes are {', '.join(sorted(family.sizes))}")
    return family


def size_of(instance_type: str) -> Size:
    return family_of(instance_type).sizes[instance_type.partition(".")[2]]


def check_database_class(instance_class: str) -> str:
    engine, _, instance_type = instance_class.partition(".")
    name = instance_type.partition(".")[0]
    if engine != "db" or name not in DATABASE_FAMILIES:
        raise ValueError(f"write db.<family>.<size> with a family of {', '.join(DATABASE_FAMILIES)}")
    family_of(instance_type)
    return instance_class


def _perhaps(name: str, known: Mapping[str, Family]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f", did you mean '{near[0]}'?" if near else f", known: {', '.join(known)}"


def gives_pods_interfaces(instance_type: str) -> bool:
    """Return whether pods on nodes of that type can have branch network interfaces with security groups."""
    return not {instance_type, instance_type.partition(".")[0]} & WITHOUT_POD_INTERFACES
