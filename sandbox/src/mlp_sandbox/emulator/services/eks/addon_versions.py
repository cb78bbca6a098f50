"""EKS: the available add-ons, their versions for each Kubernetes version, and their configuration.

https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html
"""

import json
from dataclasses import dataclass

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.addon_schemas import SCHEMAS
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER, NOT_FOUND, page
from mlp_sandbox.emulator.services.eks.versions import VERSIONS, known_version, minor
from mlp_sandbox.emulator.services.registry import Call, Result, extends


@dataclass(frozen=True, kw_only=True)
class AddonKind:
    """An add-on. `versions` maps a Kubernetes version to add-on versions, oldest first."""

    kind: str
    versions: dict[str, tuple[str, ...]]
    namespace: str = "kube-system"
    service_account: str = ""
    policies: tuple[str, ...] = ()
    owner: str = "aws"
    publisher: str = "eks"

    def default(self, version: str) -> str:
        """Return the version that EKS installs by default.

        It is the second newest, or the newest if there are fewer than three.
        """
        return self.versions[version][-2 if len(self.versions[version]) > 2 else -1]


def _same(*versions: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(VERSIONS, versions)


ADDONS = {
    "aws-ebs-csi-driver": AddonKind(
        kind="storage",
        versions=_same(
            "v1.56.0-eksbuild.1",
            "v1.57.1-eksbuild.1",
            "v1.59.0-eksbuild.1",
            "v1.61.1-eksbuild.1",
            "v1.62.0-eksbuild.1",
            "v1.63.1-eksbuild.1",
        ),
        service_account="ebs-csi-controller-sa",
        policies=("arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",),
    ),
    "coredns": AddonKind(
        kind="networking",
        versions={
            "1.33": ("v1.12.1-eksbuild.2", "v1.12.4-eksbuild.1", "v1.12.4-eksbuild.6"),
            "1.34": ("v1.12.3-eksbuild.1", "v1.12.4-eksbuild.1", "v1.12.4-eksbuild.6", "v1.13.1-eksbuild.1"),
            "1.35": ("v1.13.1-eksbuild.1", "v1.13.2-eksbuild.1", "v1.13.2-eksbuild.4"),
            "1.36": ("v1.13.2-eksbuild.1", "v1.13.2-eksbuild.4", "v1.13.2-eksbuild.7", "v1.14.3-eksbuild.16"),
        },
    ),
    "eks-pod-identity-agent": AddonKind(
        kind="security",
        versions=_same(
            "v1.3.8-eksbuild.2", "v1.3.9-eksbuild.5", "v1.3.10-eksbuild.2", "v1.3.10-eksbuild.3", "v1.3.11-eksbuild.1"
        ),
    ),
    "kube-proxy": AddonKind(
        kind="networking",
        versions={
            "1.33": ("v1.33.5-eksbuild.2", "v1.33.7-eksbuild.2", "v1.33.10-eksbuild.2", "v1.33.12-eksbuild.1"),
            "1.34": ("v1.34.1-eksbuild.2", "v1.34.3-eksbuild.2", "v1.34.6-eksbuild.2", "v1.34.8-eksbuild.1"),
            "1.35": ("v1.35.0-eksbuild.2", "v1.35.3-eksbuild.2", "v1.35.5-eksbuild.1"),
            "1.36": ("v1.36.0-eksbuild.2", "v1.36.0-eksbuild.21", "v1.36.1-eksbuild.2", "v1.36.3-eksbuild.1"),
        },
    ),
    "metrics-server": AddonKind(
        kind="observability",
        versions=_same(
            "v0.8.0-eksbuild.5", "v0.8.0-eksbuild.6", "v0.8.1-eksbuild.1", "v0.8.1-eksbuild.2", "v0.9.0-eksbuild.1"
        ),
        owner="community",
        publisher="community",
    ),
    "vpc-cni": AddonKind(
        kind="networking",
        versions=_same(
            "v1.20.5-eksbuild.1",
            "v1.21.1-eksbuild.1",
            "v1.21.1-eksbuild.3",
            "v1.21.1-eksbuild.7",
            "v1.22.0-eksbuild.1",
            "v1.22.4-eksbuild.3",
        ),
        service_account="aws-node",
        policies=("arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",),
    ),
}


def default_addon_version(name: str, version: str) -> str:
    """Return the version that EKS would install for a Kubernetes version."""
    return ADDONS[name].default(version)


def check_addon_version(name: str, addon_version: str, version: str) -> None:
    """Check that the add-on exists in that version for the Kubernetes version.

    Raises:
        Fault: InvalidParameterException: there is no such add-on or version.
    """
    if name not in ADDONS:
        raise Fault(INVALID_PARAMETER, f"Addon {name} specified is not supported in {version} kubernetes version")
    if addon_version not in ADDONS[name].versions[version]:
        raise Fault(
            INVALID_PARAMETER,
            f"Addon version specified is not supported: {name} {addon_version} with Kubernetes {version}; there are "
            f"{', '.join(ADDONS[name].versions[version])}",
        )


@extends("eks", "DescribeAddonVersions")
def describe_versions(call: Call) -> Result:
    """Describe the add-ons and versions that match the request."""
    params = call.params
    wanted = params.get("kubernetesVersion")
    versions = [known_version(wanted).name] if wanted else list(VERSIONS)
    name = params.get("addonName")
    if name and name not in ADDONS:
        raise Fault(NOT_FOUND, f"Addon {name} is not available in the local AWS account", 404)
    found = [
        _described(known, addon, versions)
        for known, addon in ADDONS.items()
        if name in (None, known)
        and all(
            value in (params.get(filter) or [value])
            for filter, value in (("types", addon.kind), ("publishers", addon.publisher), ("owners", addon.owner))
        )
    ]
    addons, token = page(call, found, lambda addon: str(addon["addonName"]))
    return {"addons": addons, **token}


@extends("eks", "DescribeAddonConfiguration")
def describe_configuration(call: Call) -> Result:
    """Return the JSON schema of configurationValues."""
    name, version = str(call.params["addonName"]), str(call.params["addonVersion"])
    addon = ADDONS.get(name)
    if addon is None or not any(version in versions for versions in addon.versions.values()):
        raise Fault(NOT_FOUND, f"No configuration found for addon {name} with version {version}", 404)
    recommended = {"serviceAccount": addon.service_account, "recommendedManagedPolicies": list(addon.policies)}
    return {
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": json.dumps(SCHEMAS[name]),
        "podIdentityConfiguration": [recommended] if addon.service_account else [],
    }


def _described(name: str, addon: AddonKind, versions: list[str]) -> Result:
    offered = {item for version in versions for item in addon.versions[version]}
    return {
        "addonName": name,
        "type": addon.kind,
        "owner": addon.owner,
        "publisher": addon.publisher,
        "defaultNamespace": addon.namespace,
        "addonVersions": [
            {
                "addonVersion": item,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2"],
                "compatibilities": [
                    {
                        "clusterVersion": version,
                        "platformVersions": ["*"],
                        "defaultVersion": addon.default(version) == item,
                    }
                    for version in sorted(versions, key=minor, reverse=True)
                    if item in addon.versions[version]
                ],
                "requiresConfiguration": False,
                "requiresIamPermissions": bool(addon.policies),
            }
            for item in sorted(offered, key=_order, reverse=True)
        ],
    }


def _order(version: str) -> list[int]:
    numbers, _, build = version.removeprefix("v").partition("-eksbuild.")
    return [*(int(number) for number in numbers.split(".")), int(build)]
