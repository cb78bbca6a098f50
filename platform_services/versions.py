"""Images of what the platform runs itself, in exact versions.

https://github.com/NVIDIA/k8s-device-plugin/releases
https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
https://github.com/kubernetes/autoscaler/releases (its minor follows that of Kubernetes)
https://github.com/aws/eks-charts/tree/master/stable/aws-efa-k8s-device-plugin
"""

from collections.abc import Mapping

NVIDIA_DEVICE_PLUGIN = "nvcr.io/nvidia/k8s-device-plugin:v0.18.0"
NEURON_DEVICE_PLUGIN = "public.ecr.aws/neuron/neuron-device-plugin:2.26.26.0"
CLUSTER_AUTOSCALER: Mapping[str, str] = {
    minor: f"registry.k8s.io/autoscaling/cluster-autoscaler:v{minor}.0" for minor in ("1.33", "1.34", "1.35", "1.36")
}

# EKS keeps its images in every region, in accounts of its own; where none is listed it is this one.
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
    """Return the image of the EFA device plugin in a region. Raises ValueError where AWS's page names no registry."""
    if region in WITHOUT_EKS_IMAGES:
        raise ValueError(
            f"efa: AWS's documentation names no registry of EKS's images in {region}; write efa: false, or ask AWS for "
            "it and add its account to EKS_IMAGES_ACCOUNTS in platform_services/versions.py"
        )
    account = EKS_IMAGES_ACCOUNTS.get(region, EKS_IMAGES_ACCOUNT)
    return f"{account}.dkr.ecr.{region}.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.20"
