"""Exact versions of EKS add-ons and AMIs per Kubernetes minor, so that an unchanged program deploys no change.

Check before raising one: `aws eks describe-addon-versions --kubernetes-version <minor> --addon-name <name>`, and
https://github.com/awslabs/amazon-eks-ami/releases for the AMIs of the nodes.
"""

from collections.abc import Mapping
from typing import Literal, get_args

# Kubernetes versions of clusters and nodes.
Minor = Literal["1.33", "1.34", "1.35", "1.36"]
MINORS: tuple[Minor, ...] = get_args(Minor)

_POD_IDENTITY = "v1.3.10-eksbuild.3"

ADDONS: Mapping[Minor, Mapping[str, str]] = {
    "1.33": {
        "vpc-cni": "v1.21.1-eksbuild.3",
        "kube-proxy": "v1.33.5-eksbuild.2",
        "eks-pod-identity-agent": _POD_IDENTITY,
        "coredns": "v1.12.4-eksbuild.1",
        "aws-ebs-csi-driver": "v1.57.1-eksbuild.1",
        "metrics-server": "v0.8.0-eksbuild.5",
    },
    "1.34": {
        "vpc-cni": "v1.21.1-eksbuild.3",
        "kube-proxy": "v1.34.1-eksbuild.2",
        "eks-pod-identity-agent": _POD_IDENTITY,
        "coredns": "v1.12.4-eksbuild.1",
        "aws-ebs-csi-driver": "v1.57.1-eksbuild.1",
        "metrics-server": "v0.8.0-eksbuild.5",
    },
    "1.35": {
        "vpc-cni": "v1.21.1-eksbuild.3",
        "kube-proxy": "v1.35.0-eksbuild.2",
        "eks-pod-identity-agent": _POD_IDENTITY,
        "coredns": "v1.13.2-eksbuild.1",
        "aws-ebs-csi-driver": "v1.57.1-eksbuild.1",
        "metrics-server": "v0.8.0-eksbuild.5",
    },
    "1.36": {
        "vpc-cni": "v1.22.4-eksbuild.3",
        "kube-proxy": "v1.36.0-eksbuild.21",
        "eks-pod-identity-agent": _POD_IDENTITY,
        "coredns": "v1.14.3-eksbuild.16",
        "aws-ebs-csi-driver": "v1.63.1-eksbuild.1",
        "metrics-server": "v0.8.1-eksbuild.1",
    },
}

# One release contains the AMIs of all AL2023 variants (standard, NVIDIA, Neuron; both architectures).
NODE_RELEASES: Mapping[Minor, str] = {
    "1.33": "1.33.5-20260120",
    "1.34": "1.34.2-20260120",
    "1.35": "1.35.0-20260129",
    "1.36": "1.36.0-20260923",
}
