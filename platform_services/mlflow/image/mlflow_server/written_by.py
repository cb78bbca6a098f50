"""The record of who wrote an alias or a gate's verdict: tags of the version, which the server writes itself.

`alias.<alias>.<UTC time>` holds `account`, who was signed in, and `from`, the version that the alias named before;
`gate.by` holds `account` and `at` of the last verdict. They are tags of the version and not of the registered model,
where they would grow for ever. A record of a move, `move.*`, says its author itself; see `refusals.false_author`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

GATE_TAG: Final = "gate"
"""Of a version: the gate's verdict."""

GATE_BY_TAG: Final = "gate.by"
ALIAS_TAG: Final = "alias."
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"

Tag = tuple[str, str]


def is_written_by_server(key: str) -> bool:
    return key == GATE_BY_TAG or key.startswith(ALIAS_TAG)


def of_alias(alias: str, account: str, before: str | None, now: datetime) -> Tag:
    """Return key and value of the tag for a version that an alias names from now on.

    Args:
        alias: name of the alias.
        account: who was signed in.
        before: version that the alias named before, None where it named none.
        now: with its time zone.
    """
    value = json.dumps({"account": account, "from": before}, separators=(",", ":"))
    return f"{ALIAS_TAG}{alias}.{now.astimezone(UTC).strftime(_STAMP)}", value


def of_gate(account: str, now: datetime) -> Tag:
    """Return key and value of the tag for a version that was given a verdict."""
    return GATE_BY_TAG, json.dumps({"account": account, "at": now.isoformat()}, separators=(",", ":"))
