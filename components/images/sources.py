"""Images built from this repository: their sources, and the tag that is computed from these.

The tag is a digest of file names, modes and contents. The program therefore computes it without a query, the same
sources are never built twice, and only a change of the sources triggers a rollout.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from components.checkout import LINK, PROGRAM, SourceError, files_below, unreadable

ROOT = Path(__file__).resolve().parents[2]
"""Root folder of the repository."""

MLFLOW_REPOSITORY = "mlflow"
"""ECR repository of the MLflow server's image, without the environment's prefix."""

RUNTIME_REPOSITORY = "runtime"
"""ECR repository of the image of the training runs' conductors, without the environment's prefix."""

# Linux follows at most this number of links before it returns ELOOP.
_MOST_LINKS: Final = 40


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Build context of an image, with paths relative to the repository's root: the Dockerfile, and files or folders.

    A folder contributes its tracked files and new files that git does not ignore, except top-level entries named in
    `left_out`.
    """

    dockerfile: PurePosixPath
    paths: tuple[PurePosixPath, ...]
    left_out: frozenset[str] = frozenset()

    def files(self, root: Path) -> dict[PurePosixPath, str]:
        """Return the mode of each file, by path.

        Raises:
            SourceError: a path does not exist, or a link points outside the image.
        """
        found: dict[PurePosixPath, str] = {}
        for path in (self.dockerfile, *self.paths):
            below = files_below(root, path)
            if not below or below.get(path) == LINK:
                linked = next((each for each in (path, *path.parents) if (root / each).is_symlink()), None)
                fault = f"{linked} is a link; put the file or folder itself there" if linked else f"there is no {path}"
                raise SourceError(f"image of {self.dockerfile}: {fault}")
            found |= {each: mode for each, mode in below.items() if not self._is_left_out(each.relative_to(path))}
        self._check_links(root, found)
        return dict(sorted(found.items()))

    def tag(self, root: Path) -> str:
        """Return the tag: 16 hexadecimal digits of the SHA-256 of names, modes and contents."""
        digest = hashlib.sha256()
        for path, mode in self.files(root).items():
            content = hashlib.sha256(_content(root / path)).hexdigest()
            digest.update(f"{mode} {content} ".encode() + os.fsencode(path) + b"\0")
        return digest.hexdigest()[:16]

    def stage(self, root: Path, folder: Path) -> None:
        """Copy the build context, and nothing else, so that a build can use only files that the tag covers.

        Modes are those of the tag, whatever the user's umask: builds copy them into images.
        """
        for path, mode in self.files(root).items():
            target = folder / path
            _make_folder(target.parent)
            if mode == LINK:
                target.symlink_to(os.fsdecode(_content(root / path)))
            else:
                target.write_bytes(_content(root / path))
                target.chmod(0o755 if mode == PROGRAM else 0o644)

    def _is_left_out(self, below: PurePosixPath) -> bool:
        return bool(below.parts) and below.parts[0] in self.left_out

    def _check_links(self, root: Path, found: Mapping[PurePosixPath, str]) -> None:
        links = {path: os.fsdecode(_content(root / path)) for path, mode in found.items() if mode == LINK}
        known = {PurePosixPath(), *found, *(parent for path in found for parent in path.parents)}
        for path, target in links.items():
            if not _arrives(path, links, known):
                raise SourceError(
                    f"image of {self.dockerfile}: the link {path} leads to {target}, which is not in the image; put "
                    "the file itself there"
                )


def _content(file: Path) -> bytes:
    """Return the contents of a file, or the target of a link. Raises SourceError if it cannot be read."""
    try:
        return os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
    except OSError as error:
        raise unreadable(error, file) from None


def _make_folder(folder: Path) -> None:
    """Create a folder and its parents, readable for the users of images whatever the umask."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)


def _arrives(path: PurePosixPath, links: Mapping[PurePosixPath, str], known: set[PurePosixPath]) -> bool:
    """Return whether a link leads to a file of the image, following links as the build does."""
    left, done, followed = list(path.parts), PurePosixPath(), 0
    while left:
        part = left.pop(0)
        if part == "..":
            if not done.parts:
                return False
            done = done.parent
            continue
        target = links.get(done / part)
        if target is None:
            done /= part
            continue
        followed += 1
        if followed > _MOST_LINKS or target.startswith("/"):
            return False
        left = [*PurePosixPath(target).parts, *left]
    return done in known
