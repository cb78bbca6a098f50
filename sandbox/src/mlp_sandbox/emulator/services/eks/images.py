"""EKS: the releases of its node images, the source for node groups and SSM parameters.

A release is named after its kubelet version and its build day:
https://docs.aws.amazon.com/eks/latest/userguide/eks-linux-ami-versions.html
"""

import hashlib
from dataclasses import dataclass

from mlp_sandbox.emulator.faults import NOT_IMPLEMENTED, Fault
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER
from mlp_sandbox.emulator.services.eks.versions import VERSIONS

# Oldest first. The release dates belong to this emulator: images exist by name only.
RELEASES = {
    "1.33": ("1.33.5-20260120", "1.33.11-20260715", "1.33.11-20260904", "1.33.12-20261013", "1.33.12-20261110"),
    "1.34": ("1.34.2-20260120", "1.34.7-20260715", "1.34.7-20260904", "1.34.8-20261013", "1.34.8-20261110"),
    "1.35": ("1.35.0-20260129", "1.35.4-20260715", "1.35.4-20260904", "1.35.5-20261013", "1.35.5-20261110"),
    "1.36": ("1.36.1-20260715", "1.36.1-20260904", "1.36.0-20260923", "1.36.3-20261013", "1.36.3-20261110"),
}


@dataclass(frozen=True)
class Image:
    """A kind of image: CPU architecture, the accelerator that it has drivers for, and its name in SSM parameters."""

    architecture: str
    accelerator: str | None
    variant: str


IMAGES = {
    "AL2023_x86_64_STANDARD": Image("x86_64", None, "standard"),
    "AL2023_ARM_64_STANDARD": Image("arm64", None, "standard"),
    "AL2023_x86_64_NVIDIA": Image("x86_64", "nvidia", "nvidia"),
    "AL2023_ARM_64_NVIDIA": Image("arm64", "nvidia", "nvidia"),
    "AL2023_x86_64_NEURON": Image("x86_64", "neuron", "neuron"),
}
CUSTOM = "CUSTOM"


def image_of(ami_type: str, version: str) -> Image:
    """Return the image of an amiType.

    Raises:
        Fault: There is no such image for the version, or it is not emulated.
    """
    if ami_type in IMAGES:
        return IMAGES[ami_type]
    if ami_type.startswith("AL2_"):
        raise Fault(INVALID_PARAMETER, f"AMI Type {ami_type} is only supported for kubernetes versions 1.32 or earlier")
    if ami_type.startswith(("BOTTLEROCKET", "WINDOWS")):
        raise Fault(
            NOT_IMPLEMENTED,
            f"eks: amiType {ami_type} is not emulated by the local AWS account; use one of {', '.join(IMAGES)}",
            501,
        )
    raise Fault(INVALID_PARAMETER, f"amiType {ami_type} does not exist for Kubernetes {version}")


def latest_release(version: str) -> str:
    """Return the newest image release of a minor version."""
    return RELEASES[version][-1]


def check_release(release: str, version: str) -> None:
    """Check that the release exists for the minor version.

    Raises:
        Fault: InvalidParameterException: there is no such release.
    """
    if release not in RELEASES[version]:
        raise Fault(
            INVALID_PARAMETER,
            f"Requested release version {release} is not valid for kubernetes version {version}.",
        )


def image_id(region: str, ami_type: str, release: str) -> str:
    """Return the id of an image, which differs between regions."""
    return "ami-" + hashlib.sha256(f"{region}/{ami_type}/{release}".encode()).hexdigest()[:17]


def image_name(image: Image, release: str) -> str:
    """Return the name that EKS gives an image."""
    kubelet, _, day = release.partition("-")
    minor = ".".join(kubelet.split(".")[:2])
    return f"amazon-eks-node-al2023-{image.architecture}-{image.variant}-{minor}-v{day}"


def published_versions() -> tuple[str, ...]:
    """Return the minor versions that have images."""
    return tuple(version for version in VERSIONS if version in RELEASES)
