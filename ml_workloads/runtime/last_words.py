"""Reports to Kubernetes why a pod ends. `kubectl describe` and programs that wait for the pod show this message.

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
    """Write a text to the file where Kubernetes reads it.

    Outside of a pod the file does not exist, and nothing happens.
    """
    with suppress(OSError):
        if place.exists():
            place.write_text(text.encode()[:MAX_CHARACTERS].decode(errors="ignore"))
