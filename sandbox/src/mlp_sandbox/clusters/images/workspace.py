"""Working folders for image builds, next to the storage, so that blobs are linked into it and not copied."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mlp_sandbox.clusters.images import storage
from mlp_sandbox.clusters.images.buildah import Buildah
from mlp_sandbox.clusters.images.reference import Reference
from mlp_sandbox.toolchain.cache import cache_folder, locked

Report = Callable[[str], None]


@contextmanager
def work_folder(report: Report) -> Generator[Path]:
    """Create an empty folder, which is deleted afterwards. Leftovers of killed builds are deleted first."""
    with locked("registry", report):
        for left_over in cache_folder().glob("image-*.partial"):
            with suppress(OSError), _held(left_over):
                shutil.rmtree(left_over, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="image-", suffix=".partial", dir=cache_folder()))
        held = ExitStack()
        held.enter_context(_held(folder))
    with held:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def publish(buildah: Buildah, image: str, references: list[Reference], work: Path, report: Report) -> str:
    """Publish an image of Buildah's store to the clusters under all these references, and return its digest."""
    layout = work / "layout"
    buildah.call("push", image, f"oci:{layout}")
    with locked("registry", report):
        return storage.publish(storage.registry_folder(), layout, references)


@contextmanager
def _held(folder: Path) -> Generator[None]:
    """Hold an exclusive lock on a folder. The kernel releases it when the process ends.

    Raises BlockingIOError if another process holds the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
