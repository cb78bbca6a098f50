"""EKS: updates of node groups: sizes, labels, taints, and new versions of the nodes.

https://docs.aws.amazon.com/eks/latest/userguide/update-managed-node-group.html
"""

import json
from typing import Any

from mlp_sandbox.emulator.clusters import auto_scaling_group
from mlp_sandbox.emulator.faults import NOT_IMPLEMENTED, Fault
from mlp_sandbox.emulator.services.eks import node_group_rules as rules
from mlp_sandbox.emulator.services.eks.auto_scaling import renew, resize
from mlp_sandbox.emulator.services.eks.cluster_version import rollback_target
from mlp_sandbox.emulator.services.eks.images import CUSTOM, check_release, image_of, latest_release
from mlp_sandbox.emulator.services.eks.records import (
    INVALID_REQUEST,
    ClusterRecord,
    NodeGroup,
    begin_update,
    cluster_of,
    node_group_of,
    now,
)
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_SIZE_PARAMS = {"minSize": "MinSize", "maxSize": "MaxSize", "desiredSize": "DesiredSize"}
_UPDATE_PARAMS = {
    "maxUnavailable": "MaxUnavailable",
    "maxUnavailablePercentage": "MaxUnavailablePercentage",
    "updateStrategy": "UpdateStrategy",
}


@extends("eks", "UpdateNodegroupConfig")
def update_config(call: Call) -> Result:
    """Update a node group. All values are checked before any is changed."""
    cluster, group = _target(call)
    params, description, said = call.params, group.description, dict[str, str]()
    if params.get("warmPoolConfig"):
        raise Fault(NOT_IMPLEMENTED, "eks: warmPoolConfig is not emulated by the local AWS account", 501)
    changes: Result = {}
    if params.get("labels"):
        changes["labels"] = _labels(params["labels"], description["labels"], said)
    if params.get("taints"):
        changes["taints"] = _taints(params["taints"], description["taints"], said)
    if params.get("updateConfig"):
        changes["updateConfig"] = rules.check_update_config(params["updateConfig"])
        said |= {_UPDATE_PARAMS[name]: str(value) for name, value in changes["updateConfig"].items()}
    if params.get("nodeRepairConfig"):
        changes["nodeRepairConfig"] = params["nodeRepairConfig"]
        said["NodeRepairEnabled"] = str(bool(params["nodeRepairConfig"].get("enabled"))).lower()
    size: Result = {}
    if params.get("scalingConfig"):
        size = rules.check_scaling(_sizes(cluster, group) | params["scalingConfig"])
        said |= {_SIZE_PARAMS[name]: str(value) for name, value in params["scalingConfig"].items()}
    description |= changes | {"modifiedAt": now()}
    if size:
        description["scalingConfig"] = size
        resize(cluster, group, size)
    return begin_update(cluster, "ConfigUpdate", said, node_group=group.name)


@extends("eks", "UpdateNodegroupVersion")
def update_version(call: Call) -> Result:
    """Update the image or the launch template version. The nodes are replaced."""
    cluster, group = _target(call)
    params, description, said = call.params, group.description, dict[str, str]()
    changes: Result = {}
    data: Result | None = None
    if params.get("launchTemplate"):
        changes["launchTemplate"], data = _template(call, params["launchTemplate"], description)
        said["LaunchTemplateName"] = changes["launchTemplate"]["name"]
        said["LaunchTemplateVersion"] = changes["launchTemplate"]["version"]
    elif description.get("launchTemplate"):
        _, version = rules.launch_template(call, {k: description["launchTemplate"][k] for k in ("id", "version")})
        data = version.data
    changes |= _images(params, cluster, description, data or {})
    said |= {"Version": changes["version"], "ReleaseVersion": changes["releaseVersion"]}
    description |= changes | {"modifiedAt": now()}
    renew(cluster, group, data)
    return begin_update(cluster, "VersionUpdate", said, node_group=group.name)


def _target(call: Call) -> tuple[ClusterRecord, NodeGroup]:
    cluster = cluster_of(call)
    group = node_group_of(cluster, call.params["nodegroupName"])
    if auto_scaling_group(cluster, group) is None:
        raise Fault(INVALID_REQUEST, f"Nodegroup {group.name} has lost its Auto Scaling group; delete it", 400)
    return cluster, group


def _sizes(cluster: ClusterRecord, group: NodeGroup) -> Result:
    """Return the sizes in force, which may have been changed through Auto Scaling."""
    scaled = auto_scaling_group(cluster, group)
    return {"minSize": scaled.min_size, "maxSize": scaled.max_size, "desiredSize": scaled.desired_capacity}


def _labels(sent: Result, current: dict[str, str], said: dict[str, str]) -> dict[str, str]:
    added, removed = sent.get("addOrUpdateLabels") or {}, sent.get("removeLabels") or []
    labels = {key: value for key, value in current.items() if key not in removed} | added
    rules.check_labels(labels)
    for name, value in (("LabelsToAdd", added), ("LabelsToRemove", removed)):
        if value:
            said[name] = json.dumps(value)
    return labels


def _taints(sent: Result, current: list[Result], said: dict[str, str]) -> list[Result]:
    added, removed = sent.get("addOrUpdateTaints") or [], sent.get("removeTaints") or []
    gone = {_identity(taint) for taint in [*added, *removed]}
    taints = [taint for taint in current if _identity(taint) not in gone] + list(added)
    rules.check_taints(taints)
    for name, value in (("TaintsToAdd", added), ("TaintsToRemove", removed)):
        if value:
            said[name] = json.dumps(value)
    return taints


def _identity(taint: Result) -> tuple[str, str]:
    return str(taint.get("key")), str(taint.get("effect"))


def _template(call: Call, sent: Result, description: Result) -> tuple[Result, Any]:
    current = description.get("launchTemplate")
    if current is None:
        raise Fault(
            INVALID_REQUEST,
            "launchTemplate: the node group was created without a launch template, and an update cannot add one; "
            "create a new node group",
        )
    template, version = rules.launch_template(call, sent)
    if template["id"] != current["id"]:
        raise Fault(INVALID_REQUEST, f"The launch template must stay {current['id']}; only its version can be changed")
    if version.data.get("InstanceType") and description.get("instanceTypes"):
        raise rules.invalid("Launch template must not name an instance type: the node group does")
    if not version.data.get("InstanceType") and not description.get("instanceTypes"):
        raise rules.invalid("Launch template must name an instance type: the node group has none of its own")
    return template, version.data


def _images(params: Result, cluster: ClusterRecord, description: Result, data: Result) -> Result:
    if data.get("ImageId"):
        if params.get("version") or params.get("releaseVersion"):
            raise rules.invalid("version and releaseVersion cannot be given when the launch template has an image id")
        return {"amiType": CUSTOM, "version": cluster.version, "releaseVersion": data["ImageId"]}
    if description["amiType"] == CUSTOM:
        raise rules.invalid("The launch template must keep naming an image id: amiType is CUSTOM")
    release = params.get("releaseVersion")
    version = str(params.get("version") or (_minor(release) if release else description["version"]))
    back = rollback_target(cluster)  # nodes are rolled back before their control plane
    if version not in {description["version"], cluster.version, "" if back is None else f"1.{back}"}:
        raise rules.invalid(
            f"Requested Nodegroup version {version} is not valid: it must be the version of the cluster, "
            f"{cluster.version}"
        )
    image_of(description["amiType"], version)
    if release is None:
        moved = version != description["version"] or bool(params.get("version"))
        release = (
            latest_release(version) if moved or not params.get("launchTemplate") else description["releaseVersion"]
        )
    check_release(release, version)
    types = description.get("instanceTypes") or [data["InstanceType"]]
    rules.check_instance_types(types, description["amiType"], image_of(description["amiType"], version))
    return {"version": version, "releaseVersion": release}


def _minor(release: str) -> str:
    return ".".join(release.split(".")[:2])
