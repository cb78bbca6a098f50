"""Authors of aliases and of gate verdicts, which MLflow's server records in tags of the version that only it may write.

`platform_services/mlflow/image/mlflow_server/written_by.py` defines their content. They name the account that was
signed in. A record of a move, which names the person as well, is in `moves.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

GATE_BY: Final = "gate.by"
_ALIAS: Final = re.compile(r"alias\.(?P<alias>.+)\.(?P<stamp>\d{8}T\d{6}\.\d{6}Z)")
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, kw_only=True)
class AliasWrite:
    """A write of an alias by an account. `before` is the version that the alias named before, or None."""

    alias: str
    version: str
    account: str
    before: str | None
    at: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return the document that `--json` prints."""
        return {
            "alias": self.alias,
            "version": self.version,
            "account": self.account,
            "from": self.before,
            "at": self.at.isoformat(),
        }


def alias_writes(version: str, tags: Mapping[str, str]) -> tuple[AliasWrite, ...]:
    """Return the writes of aliases to a version, first to last.

    Args:
        version: number of the version.
        tags: tags of this version.
    """
    found = [_alias_write(version, key, value) for key, value in tags.items()]
    return tuple(sorted((each for each in found if each), key=lambda each: each.at))


def gate_writer(tags: Mapping[str, str]) -> str | None:
    """Return the account that wrote the verdict of a version, None if it is not recorded."""
    return _account(tags.get(GATE_BY, ""))


def _alias_write(version: str, key: str, value: str) -> AliasWrite | None:
    named, account = _ALIAS.fullmatch(key), _account(value)
    if named is None or account is None:
        return None
    before = json.loads(value).get("from")
    return AliasWrite(
        alias=named["alias"],
        version=version,
        account=account,
        before=None if before is None else str(before),
        at=datetime.strptime(named["stamp"], _STAMP).replace(tzinfo=UTC),
    )


def _account(value: str) -> str | None:
    try:
        document: dict[str, object] | list[object] | str | float | None = json.loads(value)
    except ValueError:
        return None
    return str(document["account"]) if isinstance(document, dict) and "account" in document else None
