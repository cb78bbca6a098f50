"""Stack files in a form that this sandbox can use.

The stack files of a team on AWS name a KMS key and gateways that only the team has. Such a file is never changed. The
engine gets a copy in which the local passphrase replaces the key, and transit gateways that are shared with the local
account replace the team's gateways and their peering connections.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mlp_sandbox.instance import PROJECT, Instance
from mlp_sandbox.shared_gateways import SHARED_GATEWAYS

# Salt that the engine writes for the passphrase of mlp_sandbox.environment. It is constant and no secret.
SALT = "v1:GolSMJd9uzI=:v1:MK8y2wKS5ETbrFtU:TeyKq80zFIlbTGac0nZAQrPtKk+X/g=="
_FOREIGN = ("secretsprovider", "encryptedkey")


def folder(project: Path = PROJECT) -> Path:
    """Return the folder of the committed stack files, which Pulumi.yaml names."""
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
    return project / settings.get("stackConfigDir", ".")


def is_foreign(stack_file: Path) -> bool:
    """Return whether a stack file names a key or a gateway of a real account."""
    content: dict[str, Any] = yaml.safe_load(stack_file.read_text()) or {}
    gateways = [each["gateway"] for each in _connections(content)]
    return any(key in content for key in _FOREIGN) or any(each not in SHARED_GATEWAYS for each in gateways)


def usable(instance: Instance, stack: str, project: Path = PROJECT) -> Path:
    """Return the committed stack file, or the copy that replaces it here; every call updates the copy from the file."""
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
    """Yield the connections with a gateway from all sections, as the program's section is not known here by name."""
    for section in (content.get("config") or {}).values():
        network = section.get("network") if isinstance(section, dict) else None
        for each in ((network or {}).get("connections") or {}).values():
            if isinstance(each, dict) and isinstance(each.get("gateway"), str):
                yield each


def _with_shared_gateways(content: dict[str, Any]) -> dict[str, Any]:
    """Give each connection a gateway of its own, because a VPC can be attached to a gateway only once."""
    changed = copy.deepcopy(content)
    taken = {each["gateway"] for each in _connections(changed)}
    free = (id for id in SHARED_GATEWAYS if id not in taken)
    for each in _connections(changed):
        if each["gateway"] not in SHARED_GATEWAYS:
            each["gateway"] = next(free, each["gateway"])
    return changed
