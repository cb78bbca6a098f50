"""Third-party images that the platform runs: the table `images.txt` lists them with exact versions and digests."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from components.accelerators import NEURON, NVIDIA, of_vendor
from components.images.table import Image, parse_table

TABLE_FILE: Final = Path(__file__).parent / "images.txt"
IMAGES: Mapping[str, Image] = parse_table(
    TABLE_FILE.read_text(encoding="utf-8"), f"platform_services/{TABLE_FILE.name}"
)
_NVIDIA, _NEURON, _EFA = "nvidia-device-plugin", "neuron-device-plugin", "efa-device-plugin"
_AUTOSCALER = "cluster-autoscaler-"

NVIDIA_DEVICE_PLUGIN = IMAGES[_NVIDIA].pinned
NEURON_DEVICE_PLUGIN = IMAGES[_NEURON].pinned
CLUSTER_AUTOSCALER: Mapping[str, str] = {
    name.removeprefix(_AUTOSCALER): image.pinned for name, image in IMAGES.items() if name.startswith(_AUTOSCALER)
}

# EKS provides its images in every region, in accounts of its own. Regions that are not listed below use this account.
# https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html
EKS_IMAGES_ACCOUNT = "602401143452"
EKS_IMAGES_ACCOUNTS: Mapping[str, str] = {
    "af-south-1": "877085696533",
    "ap-east-1": "800184023465",
    "ap-south-2": "900889452093",
    "ap-southeast-3": "296578399912",
    "ap-southeast-4": "491585149902",
    "ap-southeast-6": "333609536671",
    "ap-southeast-7": "121268973566",
    "ca-west-1": "761377655185",
    "eu-central-2": "900612956339",
    "eu-south-1": "590381155156",
    "eu-south-2": "455263428931",
    "il-central-1": "066635153087",
    "me-central-1": "759879836304",
    "me-south-1": "558608220178",
    "mx-central-1": "730335286997",
}
# AWS's page names a registry of another region for the first, and none for the second.
WITHOUT_EKS_IMAGES = ("ap-east-2", "ap-southeast-5")


def efa_device_plugin(region: str) -> str:
    """Return the image of the EFA device plugin in a region.

    Raises:
        ValueError: AWS's page names no registry for the region.
    """
    if region in WITHOUT_EKS_IMAGES:
        raise ValueError(
            f"efa: AWS's documentation names no registry of EKS's images in {region}; write efa: false, or ask AWS for "
            "it and add its account to EKS_IMAGES_ACCOUNTS in platform_services/versions.py"
        )
    account = EKS_IMAGES_ACCOUNTS.get(region, EKS_IMAGES_ACCOUNT)
    _, _, name = IMAGES[_EFA].pinned.partition("/")
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{name}"


def needed(version: str, accelerators: Collection[str], *, efa: bool) -> tuple[Image, ...]:
    """Return the images that an environment runs.

    Args:
        version: the minor version of its Kubernetes.
        accelerators: accelerators of its pools.
        efa: a pool has EFA interfaces.
    """
    names = [f"{_AUTOSCALER}{version}"]
    names += [_NVIDIA] if of_vendor(NVIDIA, accelerators) else []
    names += [_NEURON] if of_vendor(NEURON, accelerators) else []
    names += [_EFA] if efa else []
    return tuple(IMAGES[name] for name in names)
