"""Instance families that pools and databases may use: an unknown or mistyped one is refused before AWS sees it.

Families and sizes: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
Accelerators: https://docs.aws.amazon.com/ec2/latest/instancetypes/ac.html
Bare-metal sizes are left out: nodes do not need them. A test holds the table against a catalogue of the EC2 API.
"""

import difflib
from dataclasses import dataclass

NO_ACCELERATOR = "none"
X86, ARM = "x86_64", "arm64"


@dataclass(frozen=True)
class Family:
    architecture: str
    sizes: frozenset[str]
    accelerator: str


def _family(architecture: str, sizes: str, accelerator: str = NO_ACCELERATOR) -> Family:
    return Family(architecture, frozenset(sizes.split()), accelerator)


FAMILIES = {
    "t3": _family(X86, "nano micro small medium large xlarge 2xlarge"),
    "t3a": _family(X86, "nano micro small medium large xlarge 2xlarge"),
    "t4g": _family(ARM, "nano micro small medium large xlarge 2xlarge"),
    "m5": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "m5a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "m6a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    "m6g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "m6i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "m7a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    "m7g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "m7i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "m7i-flex": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "m8a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "m8g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "m8i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge"),
    "c5": _family(X86, "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge"),
    "c6a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    "c6g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "c6i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "c7a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    "c7g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "c7i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "c8g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "c8i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge"),
    "r5": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
    "r6a": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    "r6g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "r6i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "r7a": _family(X86, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge"),
    "r7g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
    "r7i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "r8g": _family(ARM, "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
    "r8i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge"),
    "i4i": _family(X86, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge"),
    "g4dn": _family(X86, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge", "nvidia-t4"),
    "g5": _family(X86, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge", "nvidia-a10g"),
    "g6": _family(X86, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge", "nvidia-l4"),
    "gr6": _family(X86, "4xlarge 8xlarge", "nvidia-l4"),
    "g6e": _family(X86, "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge", "nvidia-l40s"),
    "g7e": _family(X86, "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge", "nvidia-rtx-pro-6000"),
    "p4d": _family(X86, "24xlarge", "nvidia-a100-40gb"),
    "p4de": _family(X86, "24xlarge", "nvidia-a100-80gb"),
    "p5": _family(X86, "4xlarge 48xlarge", "nvidia-h100"),
    "p5e": _family(X86, "48xlarge", "nvidia-h200"),
    "p5en": _family(X86, "48xlarge", "nvidia-h200"),
    "p6-b200": _family(X86, "48xlarge", "nvidia-b200"),
    "p6-b300": _family(X86, "48xlarge", "nvidia-b300"),
    "inf2": _family(X86, "xlarge 8xlarge 24xlarge 48xlarge", "aws-inferentia2"),
    "trn1": _family(X86, "2xlarge 32xlarge", "aws-trainium"),
    "trn1n": _family(X86, "32xlarge", "aws-trainium"),
    "trn2": _family(X86, "3xlarge 48xlarge", "aws-trainium2"),
}

ACCELERATORS = sorted({family.accelerator for family in FAMILIES.values()} - {NO_ACCELERATOR})

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html (PostgreSQL)
DATABASE_FAMILIES = ("t3", "t4g", "m5", "m6g", "m6i", "m7g", "m7i", "m8g", "r5", "r6g", "r6i", "r7g", "r7i", "r8g")


def family_of(instance_type: str) -> Family:
    """The family of a type such as `m7i.large`; raises with what to write instead."""
    name, _, size = instance_type.partition(".")
    family = FAMILIES.get(name)
    if family is None:
        raise ValueError(f"there is no instance family '{name}' in the table of families{_perhaps(name, FAMILIES)}")
    if size not in family.sizes:
        raise ValueError(f"family {name} has no size '{size}', its sizes are {', '.join(sorted(family.sizes))}")
    return family


def check_database_class(instance_class: str) -> str:
    engine, _, instance_type = instance_class.partition(".")
    name = instance_type.partition(".")[0]
    if engine != "db" or name not in DATABASE_FAMILIES:
        raise ValueError(f"write db.<family>.<size> with a family of {', '.join(DATABASE_FAMILIES)}")
    family_of(instance_type)
    return instance_class


def _perhaps(name: str, known: dict[str, Family]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f", did you mean '{near[0]}'?" if near else f", known: {', '.join(known)}"
