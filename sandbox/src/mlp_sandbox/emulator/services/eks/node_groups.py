"""EKS: managed node groups, each backed by a real Auto Scaling group of the account."""

from moto.ec2.exceptions import EC2ClientError

from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.clusters import auto_scaling_group
from mlp_sandbox.emulator.faults import NOT_IMPLEMENTED, Fault
from mlp_sandbox.emulator.services.eks import node_group_rules as rules
from mlp_sandbox.emulator.services.eks.access import admit_nodes
from mlp_sandbox.emulator.services.eks.auto_scaling import dissolve, form
from mlp_sandbox.emulator.services.eks.cluster_rules import check_name
from mlp_sandbox.emulator.services.eks.images import CUSTOM, check_release, image_of, latest_release
from mlp_sandbox.emulator.services.eks.node_group_health import node_group_health
from mlp_sandbox.emulator.services.eks.records import (
    IN_USE,
    ClusterRecord,
    NodeGroup,
    check_tags,
    cluster_of,
    new_uuid,
    node_group_of,
    now,
    page,
)
from mlp_sandbox.emulator.services.eks.roles import trusts
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_DEFAULT_SCALING = {"minSize": 2, "maxSize": 2, "desiredSize": 2}
_DEFAULT_TYPE, _DEFAULT_DISK = "t3.medium", 20
_DEFAULT_IMAGE = "AL2023_x86_64_STANDARD"
_NODES = "ec2.amazonaws.com"


@extends("eks", "CreateNodegroup")
def create(call: Call) -> Result:
    """Check the request as EKS does, then start the instances."""
    cluster, params = cluster_of(call), call.params
    name = str(params["nodegroupName"])
    check_name(name)
    if name in cluster.node_groups:
        message = f"NodeGroup already exists with name {name} and cluster name {cluster.name}"
        raise Fault(IN_USE, message, 409)
    for missing in ("remoteAccess", "warmPoolConfig"):
        if params.get(missing):
            raise Fault(NOT_IMPLEMENTED, f"eks: {missing} of node groups is not emulated by the local AWS account", 501)
    _check_role(params["nodeRole"])
    rules.check_subnets(call, cluster, list(params["subnets"]))
    description, data = _described(call, cluster)
    moment, uuid = now(), new_uuid()
    description |= {
        "nodegroupName": name,
        "nodegroupArn": cluster.sub_arn("nodegroup", name, uuid),
        "clusterName": cluster.name,
        "createdAt": moment,
        "modifiedAt": moment,
    }
    group = NodeGroup(
        name=name,
        uuid=uuid,
        description=description,
        auto_scaling_group=f"eks-{name}-{uuid}",
        launch_template=f"eks-{uuid}",
        instance_profile=f"eks-{uuid}",
        own_access_entry=False,
    )
    try:
        form(cluster, group, data)
    except (EC2ClientError, Fault) as error:
        dissolve(cluster, group)
        raise rules.invalid(f"The nodes of {name} could not be launched: {error}") from error
    cluster.node_groups[name] = group
    if cluster.authentication_mode != "CONFIG_MAP":
        admit_nodes(cluster)
    return {"nodegroup": shown(cluster, group) | {"status": "CREATING"}}


@extends("eks", "DescribeNodegroup")
def describe(call: Call) -> Result:
    """Describe a node group with the current sizes of its Auto Scaling group."""
    cluster = cluster_of(call)
    return {"nodegroup": shown(cluster, node_group_of(cluster, call.params["nodegroupName"]))}


@extends("eks", "ListNodegroups")
def list_groups(call: Call) -> Result:
    """List the names of the node groups."""
    names, token = page(call, cluster_of(call).node_groups)
    return {"nodegroups": names, **token}


@extends("eks", "DeleteNodegroup")
def delete(call: Call) -> Result:
    """Delete a node group and terminate its instances.

    The access entry that it created is deleted with the last group of its role.
    """
    cluster = cluster_of(call)
    group = node_group_of(cluster, call.params["nodegroupName"])
    last = shown(cluster, group) | {"status": "DELETING"}
    dissolve(cluster, group)
    del cluster.node_groups[group.name]
    role = group.description["nodeRole"]
    heirs = [other for other in cluster.node_groups.values() if other.description["nodeRole"] == role]
    if group.own_access_entry and heirs:
        heirs[0].own_access_entry = True
    elif group.own_access_entry:
        cluster.access_entries.pop(role, None)
    return {"nodegroup": last}


def shown(cluster: ClusterRecord, group: NodeGroup) -> Result:
    """Return the description with status, health, resources and current sizes."""
    health, scaled = node_group_health(cluster, group), auto_scaling_group(cluster, group)
    answer: Result = {
        "status": health.status,
        "health": {"issues": health.issues},
        "resources": {"autoScalingGroups": [{"name": group.auto_scaling_group}]},
    }
    if scaled is not None:
        answer["scalingConfig"] = {
            "minSize": scaled.min_size,
            "maxSize": scaled.max_size,
            "desiredSize": scaled.desired_capacity,
        }
    return group.description | answer


def _described(call: Call, cluster: ClusterRecord) -> tuple[Result, Result | None]:
    """Return the description from the request, and the data of its launch template, if any."""
    params = call.params
    template: Result = {}
    data: Result | None = None
    if params.get("launchTemplate"):
        if params.get("diskSize"):
            raise rules.invalid("Disk size must be specified within the launch template.")
        template, version = rules.launch_template(call, params["launchTemplate"])
        data = version.data
    in_template = (data or {}).get("InstanceType")
    if in_template and params.get("instanceTypes"):
        raise rules.invalid("Cannot specify instance types in launch template and API request")
    types = list(params.get("instanceTypes") or [in_template or _DEFAULT_TYPE])
    capacity = str(params.get("capacityType") or "ON_DEMAND")
    rules.check_capacity(capacity, data, types)
    labels, taints = dict(params.get("labels") or {}), list(params.get("taints") or [])
    rules.check_labels(labels)
    rules.check_taints(taints)
    check_tags(params.get("tags") or {})
    repair = params.get("nodeRepairConfig")
    description: Result = {
        "nodeRole": params["nodeRole"],
        "subnets": list(params["subnets"]),
        "scalingConfig": rules.check_scaling(_DEFAULT_SCALING | (params.get("scalingConfig") or {})),
        "updateConfig": rules.check_update_config(params.get("updateConfig") or {}),
        "capacityType": capacity,
        "labels": labels,
        "taints": taints,
        "tags": dict(params.get("tags") or {}),
        **({"launchTemplate": template} if template else {"diskSize": params.get("diskSize") or _DEFAULT_DISK}),
        **({} if in_template else {"instanceTypes": types}),
        **({"nodeRepairConfig": repair} if repair else {}),
        **_image(call, cluster, data or {}, types),
    }
    return description, data


def _image(call: Call, cluster: ClusterRecord, data: Result, types: list[str]) -> Result:
    """Return kind of image, version and release. A template's own image determines all three."""
    params = call.params
    if data.get("ImageId"):
        for name in ("amiType", "releaseVersion", "version"):
            if params.get(name) and params[name] != CUSTOM:
                raise rules.invalid(f"You cannot specify {name} when the launch template has an image id")
        rules.check_instance_types(types, CUSTOM, None)
        return {"amiType": CUSTOM, "version": cluster.version, "releaseVersion": data["ImageId"]}
    version = str(params.get("version") or cluster.version)
    if version != cluster.version:
        raise rules.invalid(
            f"Requested Nodegroup version {version} is not valid: it must be the version of the cluster, "
            f"{cluster.version}"
        )
    ami_type = str(params.get("amiType") or _DEFAULT_IMAGE)
    if ami_type == CUSTOM:
        raise rules.invalid("amiType CUSTOM needs a launch template with an image id")
    rules.check_instance_types(types, ami_type, image_of(ami_type, version))
    release = str(params.get("releaseVersion") or latest_release(version))
    check_release(release, version)
    return {"amiType": ami_type, "version": version, "releaseVersion": release}


def _check_role(arn: str) -> None:
    role = role_by_arn(arn)
    if role is None:
        raise rules.invalid(f"The role with name {arn.rpartition('/')[2]} cannot be found.")
    if not trusts(arn, _NODES, ("sts:AssumeRole",), {}):
        raise rules.invalid(
            f"Following required service principals [{_NODES}] were not found in the trust relationships of nodeRole "
            f"{arn}"
        )
