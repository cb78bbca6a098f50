"""Notes of the sandbox folder that owns an object outside of every folder, kept for as long as the machine runs.

Namespaces, control groups and addresses are named after a hash of their folder. The hash can confirm an owner, but the
folder cannot be computed from the hash, so root notes the folder here. A wrong note does no harm: every reader compares
the hash of the noted folder with the name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FOLDER = Path("/run/ml-platform")
"""Memory of the machine: a reboot empties it, and also removes namespaces, control groups and addresses."""


def note(name: str, owner: Path) -> None:
    """Note the folder that an object belongs to. Do nothing without root, because only root makes such objects."""
    if os.geteuid() != 0:
        return
    FOLDER.mkdir(mode=0o755, exist_ok=True)
    fresh = FOLDER / f".{name}.{os.getpid()}"
    fresh.write_text(str(owner.resolve()))
    fresh.replace(FOLDER / name)


def forget(name: str) -> None:
    """Delete the note of an object that is gone, and the folder of notes with its last note."""
    with suppress(OSError):
        (FOLDER / name).unlink(missing_ok=True)
        FOLDER.rmdir()


def noted() -> Iterator[tuple[str, Path]]:
    """Yield the names of objects with the folders that were noted as their owners."""
    for path in sorted(FOLDER.iterdir()) if FOLDER.is_dir() else []:
        with suppress(OSError):
            if not path.name.startswith("."):
                yield path.name, Path(path.read_text())
