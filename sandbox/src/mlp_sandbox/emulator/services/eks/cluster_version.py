"""EKS: a cluster's Kubernetes version: an upgrade by one minor version, or a rollback by one within seven days.

https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html
https://docs.aws.amazon.com/eks/latest/userguide/rollback-cluster.html
"""

from collections.abc import Callable
from datetime import timedelta

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.eks.records import (
    INVALID_PARAMETER,
    INVALID_REQUEST,
    ClusterRecord,
    begin_update,
    cluster_of,
    now,
)
from mlp_sandbox.emulator.services.eks.versions import Version, known_version, minor
from mlp_sandbox.emulator.services.registry import Call, Result, extends

ROLLBACK_WINDOW = timedelta(days=7)


@extends("eks", "UpdateClusterVersion")
def update_version(call: Call) -> Result:
    """Upgrade to the next minor version, or roll back to the previous one."""
    cluster, wanted = cluster_of(call), known_version(call.params["version"])
    steps = minor(wanted.name) - minor(cluster.version)
    if steps == 0:
        raise Fault(INVALID_PARAMETER, f"Cluster is already at version {wanted.name}")
    if steps == -1:
        return _roll_back(cluster, wanted, force=bool(call.params.get("force")))
    if steps != 1:
        raise Fault(
            INVALID_PARAMETER,
            f"Unsupported Kubernetes minor version update from {cluster.version} to {wanted.name}",
        )
    behind = _groups(cluster, lambda version: version < minor(cluster.version))
    if behind:
        raise Fault(
            INVALID_REQUEST,
            f"Nodegroups {', '.join(behind)} must be updated to match cluster version {cluster.version} before "
            "updating cluster version",
        )
    cluster.upgraded_at = now()
    return _begin(cluster, wanted, "VersionUpdate")


def rollback_target(cluster: ClusterRecord) -> int | None:
    """Return the minor version that the cluster can be rolled back to now, or None."""
    upgraded = cluster.upgraded_at
    recent = upgraded is not None and now() - upgraded <= ROLLBACK_WINDOW
    return minor(cluster.version) - 1 if recent else None


def _roll_back(cluster: ClusterRecord, wanted: Version, *, force: bool) -> Result:
    """Roll back an upgrade.

    This is possible once, soon after an upgrade in place. Nodes may not be newer than their control plane. `force`
    skips only the check of the nodes, which EKS reports as an insight of status ERROR.
    """
    if rollback_target(cluster) is None:
        raise Fault(
            INVALID_REQUEST,
            f"Cluster cannot be rolled back from {cluster.version} to {wanted.name}: a rollback is possible once, "
            f"within {ROLLBACK_WINDOW.days} days of an upgrade in place",
        )
    if wanted.standard_until <= now() and cluster.description["upgradePolicy"]["supportType"] != "EXTENDED":
        raise Fault(
            INVALID_REQUEST,
            f"Version {wanted.name} is in extended support: set the cluster's upgrade policy to EXTENDED first",
        )
    ahead = _groups(cluster, lambda version: version > minor(wanted.name))
    if ahead and not force:
        raise Fault(
            INVALID_REQUEST,
            f"Rollback readiness insights are in status ERROR: nodegroups {', '.join(ahead)} are newer than version "
            f"{wanted.name}. Update them to {wanted.name} first, or use force",
        )
    cluster.upgraded_at = None
    return _begin(cluster, wanted, "VersionRollback")


def _begin(cluster: ClusterRecord, wanted: Version, kind: str) -> Result:
    cluster.version = wanted.name
    cluster.description["platformVersion"] = wanted.platform
    return begin_update(cluster, kind, {"Version": wanted.name, "PlatformVersion": wanted.platform})


def _groups(cluster: ClusterRecord, concerned: Callable[[int], bool]) -> list[str]:
    """Return the matching node groups, each with its version, as text for messages."""
    return [
        f"{group.name} ({group.description['version']})"
        for group in cluster.node_groups.values()
        if concerned(minor(group.description["version"]))
    ]
