"""Folders for downloaded models on the scratch volume. They are deleted as soon as the model is loaded.

A pod that fills its volume is evicted, and with it the version that answers.
https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOG = logging.getLogger(__name__)
PREFIX: Final = "ml-platform-serving-"
SCRATCH_BYTES: Final = 4 * 1024**3
"""Size of a pod's scratch volume. The file system may be larger, but Kubernetes evicts a pod beyond this size."""

_SHARE: Final = 0.9
"""Share of the space that models may take. Caches of libraries are on the same volume."""


class TooLargeError(RuntimeError):
    """A version takes more space than is available. The message has both sizes and the fix."""


class Scratch:
    """The scratch folder of this process, below the temporary folder.

    On creation, folders of killed processes are removed. They are recognised by a file lock, which the kernel releases
    when a process ends.
    """

    def __init__(self, size: int = SCRATCH_BYTES) -> None:
        self._size, self._parent = size, Path(tempfile.gettempdir())
        remove_leftovers(self._parent)
        self._root = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self._root, ignore_errors=True)
        os.close(self._lock)

    @contextmanager
    def folder(self, version: str) -> Generator[Path]:
        """Create an empty folder for a version, and remove it at the end in any case."""
        self._root.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"version-{version}-", dir=self._root))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def demand(self, version: str, size: int) -> None:
        """Check before a download that there is enough space.

        Args:
            version: For the message.
            size: Bytes of all files of the version.

        Raises:
            TooLargeError: The version takes more than is free on the file system, or than the scratch volume has.
        """
        free = int(min(shutil.disk_usage(self._parent).free, self._size) * _SHARE)
        if size > free:
            raise TooLargeError(
                f"version {version} takes {_readable(size)}, {_readable(free)} of the scratch volume are left for it; "
                "train a smaller model, or enlarge the volume and SERVING_SCRATCH_BYTES"
            )


def remove_leftovers(parent: Path) -> None:
    """Remove scratch folders below `parent` whose process has ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            LOG.info("removed %s, which a process that is gone had left", folder.name)
        except OSError:
            continue
        finally:
            os.close(lock)


def _readable(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"
