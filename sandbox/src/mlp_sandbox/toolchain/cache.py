"""Cache of built tools in the user's home: one folder per tool and content, either complete or absent.

A tool is made in a folder beside its final place and moved there in one step. Meanwhile a lock is held, which the
kernel releases when the process ends. The next build removes what an interrupted or killed build left.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mlp_sandbox.errors import SandboxError

MANIFEST = "complete.json"
Report = Callable[[str], None]


def cache_folder() -> Path:
    """Return the folder MLP_CACHE_DIR, else `~/.cache/ml-platform`."""
    return Path(os.environ.get("MLP_CACHE_DIR") or Path.home() / ".cache" / "ml-platform").absolute()


def content_key(*parts: bytes) -> str:
    """Return a short key, which changes as soon as any part changes or the boundary between parts moves."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def entry(name: str, key: str) -> Path:
    return cache_folder() / f"{name}-{key}"


def intact(folder: Path) -> bool:
    """Return whether the folder's chief files are unchanged, byte for byte, since they were put there."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        # An entry from before an entry could hold several files names only one.
        files = manifest["files"] if "files" in manifest else {manifest["file"]: manifest["sha256"]}
        with ThreadPoolExecutor() as pool:
            found = list(pool.map(lambda file: _digest(folder / file), files))
        return bool(files) and found == list(files.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def ensure(name: str, key: str, report: Report, make: Callable[[Path], Sequence[str]]) -> Path:
    """Return the entry; make it when it is missing or damaged.

    Args:
        name: the tool.
        key: a key of the tool's content.
        report: called with lines of progress.
        make: fills an empty folder and returns the names of its chief files.

    Raises:
        SandboxError: the cache cannot be used; the message names the folder and MLP_CACHE_DIR.
    """
    place = entry(name, key)
    if intact(place):
        return place
    with writable(), locked(name, report):
        if intact(place):
            return place
        if place.exists():
            report(f"{place} is damaged; making it anew")
            shutil.rmtree(place)
        for left_over in place.parent.glob(f"{name}-*.partial"):
            shutil.rmtree(left_over, ignore_errors=True)
        partial = place.with_name(f"{place.name}.partial")
        partial.mkdir()
        try:
            files = {file: _digest(partial / file) for file in make(partial)}
            (partial / MANIFEST).write_text(json.dumps({"files": files}) + "\n")
            partial.rename(place)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return place


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def writable() -> Generator[None]:
    """Turn the OSError of a full, read-only or wrong cache folder into one line that says what to do."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise unusable(error.errno, error.strerror or str(error)) from error


def unusable(code: int | None, words: str) -> SandboxError:
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the file system is read-only",
        errno.EACCES: "no permission to write there",
        errno.EPERM: "no permission to write there",
        errno.ENOTDIR: "a part of that path is a file",
        errno.EEXIST: "a file is in its place",
    }
    return SandboxError(
        f"the cache folder {cache_folder()} cannot be used: {reasons.get(code or 0, words)}; "
        "mend that, or name another folder in MLP_CACHE_DIR"
    )


@contextmanager
def locked(name: str, report: Report) -> Generator[None]:
    """Allow one maker of `name` at a time, among all processes that use this cache."""
    lock = FileLock(cache_folder() / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report(f"Another set-up is making {name}; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
