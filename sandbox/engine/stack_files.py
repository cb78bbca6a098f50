"""Stack files as this sandbox can use them: those of a team on AWS name a KMS key that only their account has.

Such a file is never touched. The engine gets a copy in which the local passphrase takes the key's place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sandbox.instance import PROJECT, Instance

# What the engine writes for the passphrase of sandbox.environment, once and for all: the salt is no secret.
SALT = "v1:GolSMJd9uzI=:v1:MK8y2wKS5ETbrFtU:TeyKq80zFIlbTGac0nZAQrPtKk+X/g=="
_FOREIGN = ("secretsprovider", "encryptedkey")


def folder(project: Path = PROJECT) -> Path:
    """Where the committed stack files are: wherever Pulumi.yaml says."""
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
    return project / settings.get("stackConfigDir", ".")


def is_foreign(stack_file: Path) -> bool:
    """Whether its secrets are under a key of a real account."""
    content: dict[str, Any] = yaml.safe_load(stack_file.read_text()) or {}
    return any(key in content for key in _FOREIGN)


def usable(instance: Instance, stack: str, project: Path = PROJECT) -> Path:
    """The committed file, or the copy that stands for it here; the copy follows the file at every call."""
    committed = folder(project) / f"Pulumi.{stack}.yaml"
    if not is_foreign(committed):
        return committed
    content: dict[str, Any] = yaml.safe_load(committed.read_text())
    kept = {key: value for key, value in content.items() if key not in _FOREIGN}
    copy = instance.home / "stacks" / committed.name
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(yaml.safe_dump({**kept, "encryptionsalt": SALT}, sort_keys=False))
    return copy
