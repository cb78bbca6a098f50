"""EKS: the health of a node group, which is active when its instances have become Ready nodes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlp_sandbox.emulator.clusters import auto_scaling_group, current_status, running_instances
from mlp_sandbox.emulator.services.eks.health import Progress, progress
from mlp_sandbox.emulator.services.eks.records import ClusterRecord, NodeGroup
from mlp_sandbox.emulator.services.registry import Result

_STATUS = {
    Progress.WELL: "ACTIVE",
    Progress.STARTING: "CREATING",
    Progress.WAITING: "ACTIVE",
    Progress.OVERDUE: "DEGRADED",
}


@dataclass(frozen=True)
class Health:
    """Status and issues as the API shows them, and whether nodes are still starting."""

    status: str
    issues: list[Result]
    waiting: bool


def node_group_health(cluster: ClusterRecord, group: NodeGroup) -> Health:
    """Return the health of a node group. Without a data plane there are no nodes to wait for."""
    if auto_scaling_group(cluster, group) is None:
        issue = _issue("AutoScalingGroupNotFound", "The Auto Scaling group no longer exists", group.auto_scaling_group)
        return Health("DEGRADED", [issue], False)
    status = current_status(cluster.id)
    if status is None:
        return Health("ACTIVE", [], False)
    absent = [item for item in running_instances(cluster, group) if item.private_dns_name not in status.ready_nodes]
    created: datetime = group.description["createdAt"]
    changed = max((_aware(instance.launch_time) for instance in absent), default=created)
    how = progress(group.uuid, well=not absent, created=created, changed=changed)
    if how is not Progress.OVERDUE:
        return Health(_STATUS[how], [], bool(absent))
    text = "Instances failed to join the kubernetes cluster"
    return Health("DEGRADED", [_issue("NodeCreationFailure", text, *(item.id for item in absent))], False)


def _issue(code: str, message: str, *resources: str) -> Result:
    return {"code": code, "message": message, "resourceIds": list(resources)}


def _aware(moment: Any) -> datetime:
    aware: datetime = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware
