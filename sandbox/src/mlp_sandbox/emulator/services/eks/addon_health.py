"""EKS: the health of an add-on, which is active when its pods are healthy."""

from datetime import datetime

from mlp_sandbox.emulator.clusters import current_status
from mlp_sandbox.emulator.services.eks.health import Progress, progress
from mlp_sandbox.emulator.services.eks.records import ClusterRecord
from mlp_sandbox.emulator.services.registry import Result

_STATUS = {
    Progress.WELL: "ACTIVE",
    Progress.STARTING: "CREATING",
    Progress.WAITING: "ACTIVE",
    Progress.OVERDUE: "DEGRADED",
}


def addon_health(cluster: ClusterRecord, addon: Result) -> tuple[str, list[Result]]:
    """Return status and issues of an add-on. Without a data plane there are no pods to wait for."""
    status = current_status(cluster.id)
    if status is None:
        return "ACTIVE", []
    created: datetime = addon["createdAt"]
    changed: datetime = addon["modifiedAt"]
    well = addon["addonName"] in status.healthy_addons
    how = progress(f"{addon['addonArn']}/{created}", well=well, created=created, changed=changed)
    if how is not Progress.OVERDUE:
        return _STATUS[how], []
    issue = {
        "code": "InsufficientNumberOfReplicas",
        "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
        "resourceIds": [addon["addonName"]],
    }
    return "DEGRADED", [issue]
