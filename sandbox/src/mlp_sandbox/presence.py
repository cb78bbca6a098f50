"""Whether a folder is still the one that it was: neither deleted nor made anew under the same name."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

WATCH_SECONDS = 1.0


class Presence:
    """Holds a folder open from the time it is made, so that no other one can get its identity.

    `files` are there as long as the folder is whole: a deletion that is under way, or was stopped by what others write
    meanwhile, is told by them.
    """

    def __init__(self, folder: Path, *files: Path) -> None:
        self._folder, self._files = folder, files
        self._held: int | None = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    @property
    def lost(self) -> bool:
        """Whether the folder is gone. Once it is, it stays so for this object."""
        if self._held is None:
            return True
        try:
            same = os.path.samestat(self._folder.stat(), os.fstat(self._held))
            for file in self._files:
                file.stat()
        except (FileNotFoundError, NotADirectoryError):
            same = False
        except OSError:  # it cannot be looked at now, for another reason than that it is gone
            same = True
        if not same:
            os.close(self._held)
            self._held = None
        return not same

    def watch(self, when_lost: Callable[[], None]) -> None:
        """Call `when_lost` once, from a thread, within about a second of the folder's being deleted."""
        never = threading.Event()

        def look() -> None:
            while not self.lost:
                never.wait(WATCH_SECONDS)
            when_lost()

        threading.Thread(target=look, name="presence", daemon=True).start()
