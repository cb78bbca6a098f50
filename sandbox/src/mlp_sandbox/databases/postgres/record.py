"""Folder of an instance on disk, and the record that is kept about it between runs."""

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
    """Record of an instance, with values that do not change once chosen.

    Attributes:
        address: the address that the server listens on.
        port: its port.
        created_database: the database that was made at creation; like AWS, the sandbox makes it only once.
        resource_id: the owner of the data; records of earlier versions lack it and belong to the identifier.
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
        """Return the record, or None for a new instance.

        Raises:
            DataPlaneError: the file is damaged, so the instance must not be treated as new.
        """
        try:
            return InstanceRecord(**json.loads(self.record_file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise DataPlaneError(f"{self.record_file} is damaged ({error}); remove it, another is written") from error

    @property
    def owner(self) -> str | None:
        """Return the resource id of the instance that owns the data, or None when it is unknown."""
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
        """Return the major version that wrote the data, or None without data."""
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None


def instances_root(home: Path) -> Path:
    return home / "rds"


def instance_folder(home: Path, identifier: str) -> InstanceFolder:
    """Return the folder of an identifier.

    Raises:
        DataPlaneError: RDS would not accept the identifier, so it must not become part of a path.
    """
    plain = identifier.replace("-", "")
    if not (plain.isascii() and plain.isalnum() and identifier[0].isalpha()) or identifier == DELETED:
        raise DataPlaneError(
            f"identifier {identifier!r} cannot be used; write letters, digits and hyphens, a letter first, "
            f"and not {DELETED!r}"
        )
    return InstanceFolder(instances_root(home) / identifier)


def existing_folders(home: Path) -> Iterator[InstanceFolder]:
    """Yield the folder of every instance that this home holds data of, without deleted ones."""
    root = instances_root(home)
    if root.is_dir():
        for path in sorted(root.iterdir()):
            if path.is_dir() and path.name != DELETED:
                yield InstanceFolder(path)
