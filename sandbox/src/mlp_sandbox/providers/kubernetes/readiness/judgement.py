"""Result of one look at an object: ready, not yet ready (with the reason), or failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mlp_sandbox.providers.kubernetes.kinds import Object


@dataclass(frozen=True)
class Judgement:
    state: Literal["ready", "waiting", "failed"]
    text: str = ""


READY = Judgement("ready")


def waiting(text: str) -> Judgement:
    return Judgement("waiting", text)


def failed(text: str) -> Judgement:
    return Judgement("failed", text)


def status_of(obj: Object) -> dict[str, Any]:
    return obj.get("status") or {}


def spec_of(obj: Object) -> dict[str, Any]:
    return obj.get("spec") or {}


def condition(obj: Object, type: str) -> dict[str, Any]:
    """Return the condition of that type; empty when there is none."""
    return next((each for each in status_of(obj).get("conditions") or [] if each.get("type") == type), {})


def is_true(obj: Object, type: str) -> bool:
    return condition(obj, type).get("status") == "True"


def said_by(found: dict[str, Any]) -> str:
    """Return a condition's reason and message in one text."""
    return ": ".join(str(part) for part in (found.get("reason"), found.get("message")) if part)


def is_seen(obj: Object) -> bool:
    """Return whether the controller has processed the newest version of the object."""
    return int(status_of(obj).get("observedGeneration") or 0) >= int(obj["metadata"].get("generation") or 0)
