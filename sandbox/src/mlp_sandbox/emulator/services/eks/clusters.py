"""EKS: creation, description and deletion of clusters. The data plane determines the status of a cluster."""

import base64
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random
from moto.utilities.utils import get_partition

from mlp_sandbox.emulator.clusters import current_status
from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.principals import principal_arn
from mlp_sandbox.emulator.services.eks import cluster_rules as rules
from mlp_sandbox.emulator.services.eks.access import bootstrap_entry
from mlp_sandbox.emulator.services.eks.authority import placeholder_authority
from mlp_sandbox.emulator.services.eks.records import (
    IN_USE,
    INVALID_REQUEST,
    ClusterRecord,
    check_tags,
    cluster_of,
    clusters_of,
    now,
    page,
)
from mlp_sandbox.emulator.services.eks.versions import DEFAULT_VERSION, known_version
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_GROUP_DESCRIPTION = (
    "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any "
    "managed workloads."
)


@extends("eks", "CreateCluster")
def create(call: Call) -> Result:
    """Check the request as EKS does, store all settings, and create the cluster's own security group."""
    params, identity = call.params, call.identity
    name = str(params["name"])
    rules.refuse_missing(params)
    rules.check_name(name)
    if name in clusters_of(call):
        raise Fault(IN_USE, f"Cluster already exists with name: {name}", 409)
    version = known_version(params.get("version") or DEFAULT_VERSION)
    arn = f"arn:{get_partition(identity.region)}:eks:{identity.region}:{identity.account}:cluster/{name}"
    rules.check_cluster_role(params["roleArn"], arn)
    vpc = rules.vpc_config(call, params["resourcesVpcConfig"])
    network = rules.network_config(call, params.get("kubernetesNetworkConfig") or {}, vpc["vpcId"])
    encryption = rules.encryption_config(call, params.get("encryptionConfig") or [])
    tags = params.get("tags") or {}
    check_tags(tags)
    access = params.get("accessConfig") or {}
    bootstrap = access.get("bootstrapClusterCreatorAdminPermissions", True)
    id = mock_random.get_random_hex(32).upper()
    description: Result = {
        "name": name,
        "arn": arn,
        "createdAt": now(),
        "version": version.name,
        "roleArn": params["roleArn"],
        "resourcesVpcConfig": vpc,
        "kubernetesNetworkConfig": network,
        "logging": rules.logging_config(params.get("logging") or {}),
        "identity": {"oidc": {"issuer": f"https://oidc.eks.{identity.region}.amazonaws.com/id/{id}"}},
        "platformVersion": version.platform,
        "tags": dict(tags),
        "accessConfig": {
            "bootstrapClusterCreatorAdminPermissions": bootstrap,
            "authenticationMode": access.get("authenticationMode") or "CONFIG_MAP",
        },
        "upgradePolicy": {"supportType": "EXTENDED"} | (params.get("upgradePolicy") or {}),
        "zonalShiftConfig": {"enabled": False} | (params.get("zonalShiftConfig") or {}),
        "deletionProtection": bool(params.get("deletionProtection")),
        **({"encryptionConfig": encryption} if encryption else {}),
    }
    cluster = ClusterRecord(id=id, account=identity.account, region=identity.region, description=description)
    cluster.bootstrap_addons = params.get("bootstrapSelfManagedAddons") is not False
    cluster.creator = principal_arn(identity.account, identity.access_key)
    vpc["clusterSecurityGroupId"] = _security_group(cluster)
    if bootstrap:
        bootstrap_entry(cluster, cluster.creator)
    provide_log_group(cluster)
    clusters_of(call)[name] = cluster
    return {"cluster": description | {"status": "CREATING", "certificateAuthority": {}, "health": {"issues": []}}}


@extends("eks", "DescribeCluster")
def describe(call: Call) -> Result:
    """Describe a cluster as stored, with the data plane's status."""
    return {"cluster": shown(cluster_of(call))}


@extends("eks", "ListClusters")
def list_clusters(call: Call) -> Result:
    """List the names of the clusters."""
    names, token = page(call, clusters_of(call))
    return {"clusters": names, **token}


@extends("eks", "DeleteCluster")
def delete(call: Call) -> Result:
    """Delete a cluster. This is rejected while it has node groups or Fargate profiles, or while it is protected."""
    cluster = cluster_of(call)
    if cluster.description["deletionProtection"]:
        raise Fault(
            INVALID_REQUEST,
            f"Cluster {cluster.name} cannot be deleted because deletion protection is enabled; disable it with "
            "UpdateClusterConfig first",
        )
    for what, names in (("nodegroups", cluster.node_groups), ("Fargate profiles", cluster.fargate_profiles)):
        if names:
            raise Fault(IN_USE, f"Cluster has {what} attached: {', '.join(names)}", 409)
    last = shown(cluster) | {"status": "DELETING"}
    del clusters_of(call)[cluster.name]
    backend: Any = ec2_backends[cluster.account][cluster.region]
    group = cluster.description["resourcesVpcConfig"]["clusterSecurityGroupId"]
    if backend.get_security_group_from_id(group) is not None:
        backend.groups[cluster.description["resourcesVpcConfig"]["vpcId"]].pop(group, None)
        backend.tags.pop(group, None)
    return {"cluster": last}


def shown(cluster: ClusterRecord) -> Result:
    """Return the description with status, endpoint and certificate authority."""
    status = current_status(cluster.id)
    if status is None:
        answer: Result = {
            "status": "ACTIVE",
            "endpoint": f"https://{cluster.id}.gr7.{cluster.region}.eks.amazonaws.com",
            "certificateAuthority": {"data": placeholder_authority(cluster.id, cluster.description["createdAt"])},
            "health": {"issues": []},
        }
    elif status.state == "active":
        answer = {
            "status": "ACTIVE",
            "endpoint": status.endpoint,
            "certificateAuthority": {"data": _base64(status.certificate_authority or "")},
            "health": {"issues": []},
        }
    elif status.state == "failed":
        issue = {"code": "InternalFailure", "message": status.reason or "unknown", "resourceIds": [cluster.name]}
        answer = {"status": "FAILED", "certificateAuthority": {}, "health": {"issues": [issue]}}
    else:
        answer = {"status": "CREATING", "certificateAuthority": {}, "health": {"issues": []}}
    return cluster.description | answer


def provide_log_group(cluster: ClusterRecord) -> None:
    """Create the control plane's log group if a log type is enabled and the group does not exist, as EKS does."""
    if not rules.enabled_logs(cluster.description["logging"]):
        return
    backend: Any = logs_backends[cluster.account][cluster.region]
    name = f"/aws/eks/{cluster.name}/cluster"
    if name not in backend.groups:
        backend.create_log_group(name, {})


def _security_group(cluster: ClusterRecord) -> str:
    """Create the security group as EKS does: open to itself, tagged as the cluster's."""
    backend: Any = ec2_backends[cluster.account][cluster.region]
    name = f"eks-cluster-sg-{cluster.name}-{mock_random.randint(10**8, 10**10)}"
    tags = {
        "Name": name,
        f"kubernetes.io/cluster/{cluster.name}": "owned",
        "aws:eks:cluster-name": cluster.name,
    }
    vpc = cluster.description["resourcesVpcConfig"]["vpcId"]
    try:
        group = backend.create_security_group(name, _GROUP_DESCRIPTION, vpc_id=vpc, tags=tags)
        backend.authorize_security_group_ingress(
            group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id}], vpc_id=vpc
        )
    except EC2ClientError as error:
        raise Fault(INVALID_REQUEST, f"The cluster security group could not be created: {error}") from error
    return str(group.id)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
