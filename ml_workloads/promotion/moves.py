"""The record of moves: each time a command moves an alias, it writes a tag of the registered model.

The tag `move.<alias>.<UTC time>` holds JSON: alias, version, from, by, account, at, kind, run_id and gate. `by` is the
person's AWS identity, which the command supplies. `account` is the account that is signed in at MLflow; MLflow's server
compares it with the sign-in and rejects another one. A tag's value may have 5,000 characters. MLflow does not keep the
order of tags, so the order is encoded in the key.
https://mlflow.org/docs/latest/ml/model-registry/
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

MAX_VALUE = 5000
Kind = Literal["promote", "rollback"]
_KINDS: Mapping[str, Kind] = {"promote": "promote", "rollback": "rollback"}
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_KEY = re.compile(r"move\.(?P<alias>[a-z]+)\.(?P<stamp>\d{8}T\d{6}\.\d{6}Z)")


class RecordError(ValueError):
    """The record of moves cannot be read or written. The message names the tag and what to do."""


@dataclass(frozen=True, kw_only=True)
class GateNumbers:
    """Numbers that the gate compared for a promotion. `incumbent` is None if there was no version to compare with."""

    metric: str
    value: float | None
    bound: float
    incumbent: float | None
    max_regression: float


@dataclass(frozen=True, kw_only=True)
class Move:
    """One move of an alias.

    Attributes:
        alias: the alias.
        version: the version that it names after the move.
        came_from: the version that it named before, None if it named none.
        by: the person who moved it.
        at: time of the move.
        kind: promotion or rollback.
        account: the account that the person was signed in with at MLflow; None without sign-in or in old records.
        run_id: the run of the promoted version.
        gate: numbers of the gate; a rollback has none.
    """

    alias: str
    version: str
    came_from: str | None
    by: str
    at: datetime
    kind: Kind
    account: str | None = None
    run_id: str | None = None
    gate: GateNumbers | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the move as the tag holds it and as `--json` prints it."""
        return {
            "alias": self.alias,
            "version": self.version,
            "from": self.came_from,
            "by": self.by,
            "account": self.account,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "run_id": self.run_id,
            "gate": asdict(self.gate) if self.gate else None,
        }


def written(move: Move) -> tuple[str, str]:
    """Return key and value of a move's tag.

    Raises:
        RecordError: the value is longer than MLflow allows.
    """
    document = move.as_dict()
    if move.gate and move.gate.incumbent is not None and not math.isfinite(move.gate.incumbent):
        document["gate"]["incumbent"] = None  # JSON has no infinity or NaN
    value = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if len(value) > MAX_VALUE:
        raise RecordError(f"the record of this move has {len(value)} characters, MLflow keeps {MAX_VALUE} at most")
    return f"move.{move.alias}.{move.at.astimezone(UTC).strftime(_STAMP)}", value


def read(tags: Mapping[str, str], alias: str) -> tuple[Move, ...]:
    """Return the moves of an alias, first to last.

    Raises:
        RecordError: a tag with a key of this form does not hold a move.
    """
    keys = [key for key in tags if (found := _KEY.fullmatch(key)) and found["alias"] == alias]
    return tuple(_move(key, tags[key]) for key in sorted(keys))


def next_moment(moves: Sequence[Move], now: datetime) -> datetime:
    """Return the time of a move that follows these.

    Clocks of two people differ, but the order of their moves must be kept.
    """
    return max(now, moves[-1].at + timedelta(microseconds=1)) if moves else now


def _move(key: str, value: str) -> Move:
    try:
        found = json.loads(value)
        return Move(
            alias=str(found["alias"]),
            version=str(found["version"]),
            came_from=None if found["from"] is None else str(found["from"]),
            by=str(found["by"]),
            at=datetime.fromisoformat(found["at"]),
            kind=_KINDS[found["kind"]],
            account=found.get("account"),
            run_id=found["run_id"],
            gate=GateNumbers(**found["gate"]) if found["gate"] else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"the tag {key} of the registered model is no record of a move ({error}); "
            "ask the administrator of MLflow to delete it if somebody wrote it by hand"
        ) from None
