"""EKS: updates of clusters, one kind of change for each call.

https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html
"""

import json
from collections.abc import Callable
from typing import Any

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks import cluster_rules as rules
from mlp_sandbox.emulator.services.eks.access import admit_nodes
from mlp_sandbox.emulator.services.eks.clusters import provide_log_group
from mlp_sandbox.emulator.services.eks.records import (
    INVALID_PARAMETER,
    INVALID_REQUEST,
    ClusterRecord,
    begin_update,
    cluster_of,
)
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_ENDPOINT = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
_PLACES = ("subnetIds", "securityGroupIds")


@extends("eks", "UpdateClusterConfig")
def update_config(call: Call) -> Result:
    """Update a cluster. Like EKS, this rejects a request that would change nothing."""
    cluster, params = cluster_of(call), call.params
    rules.refuse_missing(params)
    kinds = [kind for kind in _CHANGES if params.get(kind) is not None]
    vpc = params.get("resourcesVpcConfig") or {}
    several = any(vpc.get(name) is not None for name in _ENDPOINT) and any(vpc.get(name) for name in _PLACES)
    if params.get("kubernetesNetworkConfig"):
        raise Fault(INVALID_REQUEST, "kubernetesNetworkConfig: the service range and IP family of a cluster are final")
    if len(kinds) != 1 or several:
        raise Fault(INVALID_PARAMETER, "Only one type of update can be allowed.")
    kind, said = _CHANGES[kinds[0]](call, cluster, params[kinds[0]])
    return begin_update(cluster, kind, said)


@extends("eks", "AssociateEncryptionConfig")
def associate_encryption(call: Call) -> Result:
    """Associate an encryption key. This is possible once in a cluster's life."""
    cluster = cluster_of(call)
    if cluster.description.get("encryptionConfig"):
        raise Fault(INVALID_PARAMETER, "Encryption config is already associated with the cluster and cannot be changed")
    config = rules.encryption_config(call, call.params["encryptionConfig"])
    cluster.description["encryptionConfig"] = config
    return begin_update(cluster, "AssociateEncryptionConfig", {"EncryptionConfig": json.dumps(config)})


def _logging(_call: Call, cluster: ClusterRecord, sent: Result) -> tuple[str, dict[str, str]]:
    config = rules.logging_config(sent, cluster.description["logging"])
    if config == cluster.description["logging"]:
        raise Fault(INVALID_PARAMETER, "No changes needed for the logging config provided")
    cluster.description["logging"] = config
    provide_log_group(cluster)
    return "LoggingUpdate", {"ClusterLogging": json.dumps(config)}


def _vpc(call: Call, cluster: ClusterRecord, sent: Result) -> tuple[str, dict[str, str]]:
    current = cluster.description["resourcesVpcConfig"]
    if any(sent.get(name) is not None for name in _PLACES):
        merged = current | {name: sent[name] for name in _PLACES if sent.get(name) is not None}
        changed = rules.vpc_config(call, merged)
        if changed["vpcId"] != current["vpcId"]:
            raise Fault(INVALID_PARAMETER, f"Subnets must stay in the cluster's VPC {current['vpcId']}")
        made_in, asked_for = (
            sorted({str(subnet.availability_zone) for subnet in rules.subnets_of(call, config["subnetIds"])})
            for config in (current, changed)
        )
        if made_in != asked_for:
            raise Fault(
                INVALID_PARAMETER,
                f"Provided subnets belong to the AZ set '{','.join(asked_for)}'. But they should belong to the exact "
                f"AZ set '{','.join(made_in)}' in which subnets were provided during cluster creation.",
            )
        current |= {name: changed[name] for name in _PLACES}
        return "VpcConfigUpdate", {
            "Subnets": json.dumps(current["subnetIds"]),
            "SecurityGroups": json.dumps(current["securityGroupIds"]),
        }
    access = rules.endpoint_access(sent, current)
    if all(current[name] == access[name] for name in _ENDPOINT):
        raise Fault(
            INVALID_PARAMETER,
            "Cluster is already at the desired configuration with endpointPrivateAccess: "
            f"{str(access['endpointPrivateAccess']).lower()} , endpointPublicAccess: "
            f"{str(access['endpointPublicAccess']).lower()}, and Public Endpoint Restrictions: "
            f"[{', '.join(access['publicAccessCidrs'])}]",
        )
    current |= access
    return "EndpointAccessUpdate", {
        "EndpointPublicAccess": str(access["endpointPublicAccess"]).lower(),
        "EndpointPrivateAccess": str(access["endpointPrivateAccess"]).lower(),
        "PublicAccessCidrs": json.dumps(access["publicAccessCidrs"]),
    }


def _access(_call: Call, cluster: ClusterRecord, sent: Result) -> tuple[str, dict[str, str]]:
    before, after = cluster.authentication_mode, str(sent.get("authenticationMode"))
    if rules.MODES.index(after) - rules.MODES.index(before) != 1:
        raise Fault(INVALID_PARAMETER, f"Unsupported authentication mode update from {before} to {after}")
    if before == rules.MODES[0]:
        admit_nodes(cluster)
    cluster.description["accessConfig"] = cluster.description["accessConfig"] | {"authenticationMode": after}
    return "AccessConfigUpdate", {"AuthenticationMode": after}


def _upgrade_policy(_call: Call, cluster: ClusterRecord, sent: Result) -> tuple[str, dict[str, str]]:
    return _replace(cluster, "upgradePolicy", sent, "UpgradePolicyUpdate", "UpgradePolicy")


def _zonal_shift(_call: Call, cluster: ClusterRecord, sent: Result) -> tuple[str, dict[str, str]]:
    return _replace(cluster, "zonalShiftConfig", sent, "ZonalShiftConfigUpdate", "ZonalShiftConfig")


def _replace(cluster: ClusterRecord, name: str, sent: Result, kind: str, param: str) -> tuple[str, dict[str, str]]:
    config = cluster.description[name] | sent
    if config == cluster.description[name]:
        raise Fault(INVALID_PARAMETER, f"Cluster is already at the desired configuration with {name}: {config}")
    cluster.description[name] = config
    return kind, {param: json.dumps(config)}


def _protection(_call: Call, cluster: ClusterRecord, sent: bool) -> tuple[str, dict[str, str]]:
    if cluster.description["deletionProtection"] == sent:
        text = f"Cluster is already at the desired configuration with deletionProtection: {str(sent).lower()}"
        raise Fault(INVALID_PARAMETER, text)
    cluster.description["deletionProtection"] = sent
    return "DeletionProtectionUpdate", {"DeletionProtection": str(sent).lower()}


_CHANGES: dict[str, Callable[[Call, ClusterRecord, Any], tuple[str, dict[str, str]]]] = {
    "resourcesVpcConfig": _vpc,
    "logging": _logging,
    "accessConfig": _access,
    "upgradePolicy": _upgrade_policy,
    "zonalShiftConfig": _zonal_shift,
    "deletionProtection": _protection,
}
