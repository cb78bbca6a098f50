"""EKS: the time that a resource may take to become healthy before the API reports it as unhealthy."""

from datetime import UTC, datetime, timedelta
from enum import Enum

from mlp_sandbox.emulator.clusters import started_at

PATIENCE = timedelta(minutes=15)
"""Approximate time that EKS waits for nodes and add-ons before it reports an issue."""

_seen_well: set[str] = set()


class Progress(Enum):
    """Well; not yet well for the first time; temporarily not well; not well for too long."""

    WELL = "well"
    STARTING = "starting"
    WAITING = "waiting"
    OVERDUE = "overdue"


def progress(key: str, *, well: bool, created: datetime, changed: datetime) -> Progress:
    """Judge the progress from the data plane's current status.

    A resource created before the emulator started counts as having been well before.

    Args:
        key: Unique name of the resource.
        well: Whether the data plane reports the resource as healthy.
        created: Creation time of the resource.
        changed: Time of its last change.
    """
    if well:
        _seen_well.add(key)
        return Progress.WELL
    begun = started_at()
    if datetime.now(UTC) - max(changed, begun) > PATIENCE:
        return Progress.OVERDUE
    return Progress.WAITING if key in _seen_well or created < begun else Progress.STARTING
