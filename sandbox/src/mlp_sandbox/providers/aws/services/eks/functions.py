"""Functions that look up EKS clusters."""

from __future__ import annotations

from collections.abc import Callable

from mlp_sandbox.providers.aws.resource import Aws, Props
from mlp_sandbox.providers.aws.services.eks.cluster import Cluster

# Blocks that the function returns as lists of at most one.
LISTED = {
    "accessConfig": "accessConfigs",
    "certificateAuthority": "certificateAuthorities",
    "computeConfig": "computeConfigs",
    "controlPlaneScalingConfig": "controlPlaneScalingConfigs",
    "kubeApiServerConfig": "kubeApiServerConfigs",
    "kubeControllerManagerConfig": "kubeControllerManagerConfigs",
    "kubeSchedulerConfig": "kubeSchedulerConfigs",
    "kubernetesNetworkConfig": "kubernetesNetworkConfigs",
    "outpostConfig": "outpostConfigs",
    "remoteNetworkConfig": "remoteNetworkConfigs",
    "storageConfig": "storageConfigs",
    "upgradePolicy": "upgradePolicies",
    "zonalShiftConfig": "zonalShiftConfigs",
}


def get_cluster(aws: Aws, args: Props) -> Props:
    """Look up a cluster that this program does not make."""
    found = Cluster().read(aws, str(args["name"]), {**args, "accessConfig": {}}) or {}
    plain = {name: value for name, value in found.items() if name not in (*LISTED, "encryptionConfig")}
    listed = {plural: [found[name]] if found.get(name) else [] for name, plural in LISTED.items()}
    defaults = {"enabledClusterLogTypes": [], "tags": {}}
    return {**defaults, **plain, **listed, "id": found["name"]}


INVOKES: dict[str, Callable[[Aws, Props], Props]] = {"aws:eks/getCluster:getCluster": get_cluster}
