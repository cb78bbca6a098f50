"""The record of moves: each time a command moved an alias, as a tag of the registered model.

`move.<alias>.<UTC time>` holds JSON: alias, version, from, by, account, at, kind, run_id and gate. `by` is the person
as AWS knows them, which the command says; `account` is who was signed in at MLflow, which its server holds against the
sign-in and refuses where it is another. A tag's value may have 5,000
characters, and MLflow keeps tags in no order, so that the order is in the key.
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
    """What the gate compared when a version was promoted; `incumbent` is None when there was nothing to compare."""

    metric: str
    value: float | None
    bound: float
    incumbent: float | None
    max_regression: float


@dataclass(frozen=True, kw_only=True)
class Move:
    """`came_from` is the version that the alias named before, None when it named none; `by` is who moved it, and
    `account` whom they were signed in as at MLflow, None where nobody signs in or the record is an old one."""

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
        """As the tag holds it, and `--json` prints it."""
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
    """Key and value of a move's tag."""
    document = move.as_dict()
    if move.gate and move.gate.incumbent is not None and not math.isfinite(move.gate.incumbent):
        document["gate"]["incumbent"] = None  # which JSON cannot carry
    value = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    if len(value) > MAX_VALUE:
        raise RecordError(f"the record of this move has {len(value)} characters, MLflow keeps {MAX_VALUE} at most")
    return f"move.{move.alias}.{move.at.astimezone(UTC).strftime(_STAMP)}", value


def read(tags: Mapping[str, str], alias: str) -> tuple[Move, ...]:
    """The moves of an alias, first to last.

    Raises:
        RecordError: somebody wrote a tag of this form that is no move.
    """
    keys = [key for key in tags if (found := _KEY.fullmatch(key)) and found["alias"] == alias]
    return tuple(_move(key, tags[key]) for key in sorted(keys))


def next_moment(moves: Sequence[Move], now: datetime) -> datetime:
    """When a move happens that follows these: clocks of two people differ, the order of their moves must not."""
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
