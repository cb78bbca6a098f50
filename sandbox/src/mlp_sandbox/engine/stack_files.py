"""Stack files as this sandbox can use them: those of a team on AWS name a KMS key and gateways that only they have.

Such a file is never touched. The engine gets a copy in which the local passphrase takes the key's place, and transit
gateways that are shared with the local account take the place of theirs, and of their peering connections.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mlp_sandbox.instance import PROJECT, Instance
from mlp_sandbox.shared_gateways import SHARED_GATEWAYS

# What the engine writes for the passphrase of mlp_sandbox.environment, once and for all: the salt is no secret.
SALT = "v1:GolSMJd9uzI=:v1:MK8y2wKS5ETbrFtU:TeyKq80zFIlbTGac0nZAQrPtKk+X/g=="
_FOREIGN = ("secretsprovider", "encryptedkey")


def folder(project: Path = PROJECT) -> Path:
    """Where the committed stack files are: wherever Pulumi.yaml says."""
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
    return project / settings.get("stackConfigDir", ".")


def is_foreign(stack_file: Path) -> bool:
    """Whether it names a key or a gateway of a real account."""
    content: dict[str, Any] = yaml.safe_load(stack_file.read_text()) or {}
    gateways = [each["gateway"] for each in _connections(content)]
    return any(key in content for key in _FOREIGN) or any(each not in SHARED_GATEWAYS for each in gateways)


def usable(instance: Instance, stack: str, project: Path = PROJECT) -> Path:
    """The committed file, or the copy that stands for it here; the copy follows the file at every call."""
    committed = folder(project) / f"Pulumi.{stack}.yaml"
    if not is_foreign(committed):
        return committed
    content: dict[str, Any] = yaml.safe_load(committed.read_text())
    kept = {key: value for key, value in content.items() if key not in _FOREIGN}
    stand_in = instance.home / "stacks" / committed.name
    stand_in.parent.mkdir(exist_ok=True)
    stand_in.write_text(yaml.safe_dump({**_with_shared_gateways(kept), "encryptionsalt": SALT}, sort_keys=False))
    return stand_in


def _connections(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those with a gateway, of all sections: which one is the program's, its own names say."""
    for section in (content.get("config") or {}).values():
        network = section.get("network") if isinstance(section, dict) else None
        for each in ((network or {}).get("connections") or {}).values():
            if isinstance(each, dict) and isinstance(each.get("gateway"), str):
                yield each


def _with_shared_gateways(content: dict[str, Any]) -> dict[str, Any]:
    """Each connection keeps a gateway of its own: a VPC is attached to one once."""
    changed = copy.deepcopy(content)
    taken = {each["gateway"] for each in _connections(changed)}
    free = (id for id in SHARED_GATEWAYS if id not in taken)
    for each in _connections(changed):
        if each["gateway"] not in SHARED_GATEWAYS:
            each["gateway"] = next(free, each["gateway"])
    return changed
