"""Record of the author of an alias or a gate's verdict: tags of the version, which the server writes itself.

`alias.<alias>.<UTC time>` holds `account`, the signed-in account, and `from`, the version that the alias named before;
`gate.by` holds `account` and `at` of the last verdict. They are tags of the version, because on the registered model
their number would grow without limit. A record of a move, `move.*`, contains its author itself; see
`refusals.false_author`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

GATE_TAG: Final = "gate"
"""Tag of a version: the gate's verdict."""

GATE_BY_TAG: Final = "gate.by"
ALIAS_TAG: Final = "alias."
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"

Tag = tuple[str, str]


def is_written_by_server(key: str) -> bool:
    """Return whether only the server may write a tag of a version."""
    return key == GATE_BY_TAG or key.startswith(ALIAS_TAG)


def of_alias(alias: str, account: str, before: str | None, now: datetime) -> Tag:
    """Return key and value of the tag for a version that an alias names from now on.

    Args:
        alias: name of the alias.
        account: the signed-in account.
        before: version that the alias named before, None if it named none.
        now: with its time zone.
    """
    value = json.dumps({"account": account, "from": before}, separators=(",", ":"))
    return f"{ALIAS_TAG}{alias}.{now.astimezone(UTC).strftime(_STAMP)}", value


def of_gate(account: str, now: datetime) -> Tag:
    """Return key and value of the tag for a version that got a verdict."""
    return GATE_BY_TAG, json.dumps({"account": account, "at": now.isoformat()}, separators=(",", ":"))
