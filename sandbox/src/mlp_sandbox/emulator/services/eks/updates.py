"""EKS: updates of clusters, node groups and add-ons. An update is carried out when it is requested."""

from datetime import timedelta

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.addon_health import addon_health
from mlp_sandbox.emulator.services.eks.clusters import shown
from mlp_sandbox.emulator.services.eks.node_group_health import node_group_health
from mlp_sandbox.emulator.services.eks.records import NOT_FOUND, ClusterRecord, cluster_of, node_group_of, now, page
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_SETTLED_AFTER = timedelta(hours=1)
"""Time after which poor health is no longer attributed to the update."""


@extends("eks", "DescribeUpdate")
def describe(call: Call) -> Result:
    """Describe an update. It is in progress until the changed resource is healthy again."""
    cluster, id = cluster_of(call), str(call.params["updateId"])
    kept = cluster.updates.get(id)
    if kept is None or not _is_of(call, kept):
        raise Fault(NOT_FOUND, f"No update found for ID: {id}", 404)
    state, message = _state(cluster, kept)
    errors = [{"errorCode": "Unknown", "errorMessage": message, "resourceIds": [cluster.name]}] if message else []
    return {"update": kept["update"] | {"status": state, "errors": errors}}


@extends("eks", "ListUpdates")
def list_updates(call: Call) -> Result:
    """List the updates of the cluster itself, of one of its node groups, or of one of its add-ons."""
    cluster = cluster_of(call)
    found = [id for id, kept in cluster.updates.items() if _is_of(call, kept)]
    ids, token = page(call, found)
    return {"updateIds": ids, **token}


def _is_of(call: Call, kept: Result) -> bool:
    return (kept["nodeGroup"], kept["addon"]) == (
        call.params.get("nodegroupName") or "",
        call.params.get("addonName") or "",
    )


def _state(cluster: ClusterRecord, kept: Result) -> tuple[str, str]:
    if now() - kept["update"]["createdAt"] > _SETTLED_AFTER:
        return "Successful", ""
    if kept["nodeGroup"] in cluster.node_groups:
        health = node_group_health(cluster, node_group_of(cluster, kept["nodeGroup"]))
        status, issues = "UPDATING" if health.waiting else health.status, health.issues
    elif kept["addon"] in cluster.addons:
        status, issues = addon_health(cluster, cluster.addons[kept["addon"]])
    else:
        description = shown(cluster)
        status, issues = description["status"], description["health"]["issues"]
    if status in {"FAILED", "DEGRADED", "CREATE_FAILED"}:
        return "Failed", "; ".join(issue["message"] for issue in issues)
    return ("Successful" if status == "ACTIVE" else "InProgress"), ""
