"""Differences between this plugin and the official kubernetes plugin, for `mlp sandbox limits`."""

from __future__ import annotations

from collections.abc import Iterator

from mlp_sandbox.providers.kubernetes.kinds import NOT_DONE
from mlp_sandbox.providers.kubernetes.settings import REFUSED

_OTHERWISE = (
    (
        "updates of fields that the API does not let change, beyond the official provider's own table",
        "planned as a replacement here; the official provider sends the update, and the API server refuses it",
    ),
    (
        "fields that the API server does not know",
        "an error in previews and updates; the official provider only warns",
    ),
    (
        "refresh of an object that is not ready",
        "its state is read as it is; the official provider also looks whether it is ready",
    ),
)


def plugin_limits() -> Iterator[dict[str, str]]:
    for group, reason in NOT_DONE.items():
        yield _entry(f"resource types and functions of kubernetes:{group}", f"an error that names the type: {reason}")
    yield _entry("Patch and List resource types of the kubernetes package", "an error that names the type")
    for name, reason in REFUSED.items():
        yield _entry(f"the input {name} of the kubernetes provider", f"refused: {reason}")
    for what, effect in _OTHERWISE:
        yield _entry(what, effect)


def _entry(what: str, effect: str) -> dict[str, str]:
    return {"service": "kubernetes", "what": what, "effect": effect}
