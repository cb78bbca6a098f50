"""Tells Kubernetes why a pod ends: `kubectl describe`, and whoever waits for the pod, show it.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

PLACE: Final = Path("/dev/termination-log")
MAX_CHARACTERS: Final = 4000
"""Kubernetes keeps 4096 bytes of a message."""


def write(text: str, place: Path = PLACE) -> None:
    """Leave a text where Kubernetes looks for it; outside of a pod there is no such place, and nothing happens."""
    with suppress(OSError):
        if place.exists():
            place.write_text(text.encode()[:MAX_CHARACTERS].decode(errors="ignore"))
