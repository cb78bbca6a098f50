"""Which folder of which sandbox an object outside of every folder belongs to, for as long as the machine runs.

Namespaces, control groups and addresses are named after a hash of their folder. The hash tells whether a folder is the
owner, and nothing tells the folder from the hash; so root notes it here. A note cannot lie: whoever reads it compares
the hash of what it says with the name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER = Path("/run/ml-platform")
"""Memory of the machine: it is empty after a reboot, as namespaces, control groups and addresses are gone then."""


def note(name: str, owner: Path) -> None:
    """Note the folder that an object belongs to. Does nothing without root, who alone makes such objects."""
    if os.geteuid() != 0:
        return
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    fresh = FOLDER / f".{name}.{os.getpid()}"
    fresh.write_text(str(owner.resolve()))
    fresh.replace(FOLDER / name)


def forget(name: str) -> None:
    """Drop the note of an object that is gone, and the folder of notes with the last one."""
    with suppress(OSError):
        (FOLDER / name).unlink(missing_ok=True)
        FOLDER.rmdir()


def noted() -> Iterator[tuple[str, Path]]:
    """Yield names of objects with the folders that were noted as their owners."""
    for path in sorted(FOLDER.iterdir()) if FOLDER.is_dir() else []:
        with suppress(OSError):
            if not path.name.startswith("."):
                yield path.name, Path(path.read_text())
