"""EKS: how long something may take until the data plane has it, before the API says that it is not well."""

from datetime import UTC, datetime, timedelta
from enum import Enum

from mlp_sandbox.emulator.clusters import started_at

PATIENCE = timedelta(minutes=15)
"""As long as EKS waits for nodes and add-ons, about: afterwards it reports an issue."""

_seen_well: set[str] = set()


class Progress(Enum):
    """Well; not yet well for the first time; not well at this moment; not well for too long."""

    WELL = "well"
    STARTING = "starting"
    WAITING = "waiting"
    OVERDUE = "overdue"


def progress(key: str, *, well: bool, created: datetime, changed: datetime) -> Progress:
    """Judge from what the data plane says now. What was made before the emulator started counts as well then."""
    if well:
        _seen_well.add(key)
        return Progress.WELL
    begun = started_at()
    if datetime.now(UTC) - max(changed, begun) > PATIENCE:
        return Progress.OVERDUE
    return Progress.WAITING if key in _seen_well or created < begun else Progress.STARTING
