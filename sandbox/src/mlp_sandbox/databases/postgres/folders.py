"""Ownership of data folders: data of a renamed instance move with it, data of a deleted instance are put away.

Folders are named by identifier, which users look for, but belong to the resource id in their record. A new instance
with the identifier of a deleted one, or an instance that swapped identifiers with another one, must not get another
instance's rows.
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
"""Prefix of a folder whose move to another identifier is not complete; no identifier contains a full stop."""


def settle(home: Path, desired: Sequence[DatabaseInstance], log: logging.Logger) -> None:
    """Put away the data that no instance owns, and move the data of renamed instances.

    Failures are logged, and the next call tries again.
    """
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
    """Check that the folder belongs to the instance.

    Raises:
        DataPlaneError: the folder holds the data of another instance, or the instance's own data lie elsewhere, so that
            it must not begin with an empty folder.
    """
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
