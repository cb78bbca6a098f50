"""Detection of a folder that was deleted, or deleted and created anew under the same name."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

WATCH_SECONDS = 1.0


class Presence:
    """Watcher that keeps a folder open during its whole life, so that no other folder can get the folder's identity.

    `files` exist as long as the folder is whole. A missing one shows a deletion that is still under way, or that
    stopped because other processes wrote into the folder meanwhile.
    """

    def __init__(self, folder: Path, *files: Path) -> None:
        self._folder, self._files = folder, files
        self._held: int | None = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    @property
    def lost(self) -> bool:
        """Return whether the folder is gone. Once true, the answer stays true for this object."""
        if self._held is None:
            return True
        try:
            same = os.path.samestat(self._folder.stat(), os.fstat(self._held))
            for file in self._files:
                file.stat()
        except (FileNotFoundError, NotADirectoryError):
            same = False
        except OSError:  # it cannot be examined now, for a reason other than a deletion
            same = True
        if not same:
            os.close(self._held)
            self._held = None
        return not same

    def watch(self, when_lost: Callable[[], None]) -> None:
        """Call `when_lost` once, from a thread, within about a second after the deletion of the folder."""
        never = threading.Event()

        def look() -> None:
            while not self.lost:
                never.wait(WATCH_SECONDS)
            when_lost()

        threading.Thread(target=look, name="presence", daemon=True).start()
