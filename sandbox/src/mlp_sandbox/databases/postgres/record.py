"""Where an instance lives on disk, and what is remembered about it between runs."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from mlp_sandbox.databases.postgres.errors import DataPlaneError

DELETED: Final = "deleted"
"""Folder beside the instances that keeps the newest data of each deleted identifier."""


@dataclass(frozen=True, kw_only=True)
class InstanceRecord:
    """What stays the same once chosen: the address; and the database that was made at creation, as AWS does, once.

    `resource_id` says whose data these are; records of earlier versions lack it and belong to the identifier.
    """

    address: str
    port: int
    created_database: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True)
class InstanceFolder:
    """Paths of one instance."""

    root: Path

    @property
    def identifier(self) -> str:
        return self.root.name

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log_file(self) -> Path:
        return self.root / "postgresql.log"

    @property
    def record_file(self) -> Path:
        return self.root / "instance.json"

    def read_record(self) -> InstanceRecord | None:
        """What is remembered, or None for a new instance; a damaged file is an error, not a new instance."""
        try:
            return InstanceRecord(**json.loads(self.record_file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise DataPlaneError(f"{self.record_file} is damaged ({error}); remove it, another is written") from error

    @property
    def owner(self) -> str | None:
        """The resource id of the instance whose data these are, where it can be told."""
        try:
            record = self.read_record()
        except DataPlaneError:
            return None
        return record.resource_id if record else None

    def write_record(self, record: InstanceRecord) -> None:
        fresh = self.record_file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(record), indent=2) + "\n")
        fresh.replace(self.record_file)

    def major_on_disk(self) -> int | None:
        """The major version that wrote the data, when there are any."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None


def instances_root(home: Path) -> Path:
    return home / "rds"


def instance_folder(home: Path, identifier: str) -> InstanceFolder:
    """The folder of an identifier; it becomes part of a path, so it must look like one that RDS accepts."""
    plain = identifier.replace("-", "")
    if not (plain.isascii() and plain.isalnum() and identifier[0].isalpha()) or identifier == DELETED:
        raise DataPlaneError(
            f"identifier {identifier!r} cannot be used; write letters, digits and hyphens, a letter first, "
            f"and not {DELETED!r}"
        )
    return InstanceFolder(instances_root(home) / identifier)


def existing_folders(home: Path) -> Iterator[InstanceFolder]:
    """Every instance that this home holds data of, deleted ones left out."""
    root = instances_root(home)
    if root.is_dir():
        for path in sorted(root.iterdir()):
            if path.is_dir() and path.name != DELETED:
                yield InstanceFolder(path)
