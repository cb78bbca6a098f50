"""Whose data a folder holds: renamed instances take theirs along, deleted ones leave theirs to nobody.

Folders are named by identifier, which is what people look for, but belong to the resource id in their record: an
identifier that was deleted and created again, or swapped with another one, must not come with somebody else's rows.
"""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mlp_sandbox.contracts.desired import DatabaseInstance
from mlp_sandbox.databases.postgres.errors import DataPlaneError
from mlp_sandbox.databases.postgres.process import cluster_name, stop_server
from mlp_sandbox.databases.postgres.record import (
    DELETED,
    InstanceFolder,
    existing_folders,
    instance_folder,
    instances_root,
)

MOVING: Final = "moving."
"""Begins the name of a folder between two identifiers; no identifier holds a full stop."""


def settle(home: Path, desired: Sequence[DatabaseInstance], log: logging.Logger) -> None:
    """Put away what no instance owns and move what was renamed; what fails is logged and tried again next time."""
    named = {instance.identifier for instance in desired}
    owners = {instance.resource_id: instance.identifier for instance in desired}
    # In two steps, so that two instances can swap their identifiers.
    for folder in list(existing_folders(home)):
        owner = folder.owner
        if owner in owners:
            if owners[owner] != folder.identifier and not folder.identifier.startswith(MOVING):
                _move(folder, f"{MOVING}{owner}", home, log)
        elif owner is not None or folder.identifier not in named:
            _put_away(home, folder, log)
    for folder in list(existing_folders(home)):
        if folder.identifier.startswith(MOVING) and (name := owners.get(folder.owner or "")):
            _move(folder, name, home, log)


def check_owner(home: Path, folder: InstanceFolder, instance: DatabaseInstance) -> None:
    """Refuse to work on data of another instance, and to begin anew while the instance's own lie elsewhere."""
    if folder.owner not in {None, instance.resource_id}:
        raise DataPlaneError(
            f"{folder.root} holds the data of another instance ({folder.owner}); choose another identifier, or move "
            "the folder away"
        )
    for other in existing_folders(home):
        if other.root != folder.root and other.owner == instance.resource_id:
            raise DataPlaneError(f"its data lie in {other.root} and could not be moved to {folder.root}; see the log")


def _move(folder: InstanceFolder, name: str, home: Path, log: logging.Logger) -> None:
    try:
        target = folder.root.with_name(name) if name.startswith(MOVING) else instance_folder(home, name).root
        stop_server(folder.data, cluster_name(folder.root))
        if not target.exists():
            folder.root.rename(target)
        else:
            log.error("%s: was renamed but %s is in the way of its data; move it away", folder.identifier, target)
    except (DataPlaneError, OSError):
        log.exception("%s: was renamed but its data could not be moved to %s", folder.identifier, name)


def _put_away(home: Path, folder: InstanceFolder, log: logging.Logger) -> None:
    try:
        stop_server(folder.data, cluster_name(folder.root))
        kept = instances_root(home) / DELETED / folder.identifier
        if kept.exists():
            shutil.rmtree(kept)
        kept.parent.mkdir(exist_ok=True)
        folder.root.rename(kept)
    except (DataPlaneError, OSError):
        log.exception("%s: was deleted but its server or data could not be put away", folder.identifier)
    else:
        log.info("%s: stopped; its data are kept in %s until its next deletion", folder.identifier, kept)
