"""Images that are built here: what they consist of, and the tag that follows from it.

The tag is a digest of the content, so that the program knows it without asking anybody, the same sources are never
built twice, and a change of them, and nothing else, rolls out.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
"""The repository's folder."""

MLFLOW_REPOSITORY = "mlflow"
"""Where the image of MLflow's server is kept, without the environment's prefix."""

_NEVER = "__pycache__"


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """All that a build may see, relative to the repository's root: the Dockerfile, and files or folders.

    Hidden files and compiled Python do not belong to it, nor do names that are in `left_out`.
    """

    dockerfile: PurePosixPath
    paths: tuple[PurePosixPath, ...]
    left_out: frozenset[str] = frozenset()

    def files(self, root: Path) -> Iterator[PurePosixPath]:
        """Raises ValueError when one of the paths is not there."""
        found = {self.dockerfile}
        for path in self.paths:
            if not (root / path).exists():
                raise ValueError(f"image of {self.dockerfile}: there is no {path}")
            found |= set(self._below(root, path))
        yield from sorted(found)

    def tag(self, root: Path) -> str:
        """16 hexadecimal digits of the SHA-256 of names and contents."""
        digest = hashlib.sha256()
        for path in self.files(root):
            content = hashlib.sha256((root / path).read_bytes()).hexdigest()
            digest.update(f"{path}\0{content}\n".encode())
        return digest.hexdigest()[:16]

    def stage(self, root: Path, folder: Path) -> None:
        """Copy all of it, and nothing else, so that a build cannot use what the tag does not cover."""
        for path in self.files(root):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, folder / path)

    def _below(self, root: Path, path: PurePosixPath) -> Iterator[PurePosixPath]:
        if (root / path).is_file():
            yield path
            return
        for each in (root / path).rglob("*"):
            parts = each.relative_to(root / path).parts
            hidden = any(part.startswith(".") or part == _NEVER or part in self.left_out for part in parts)
            if each.is_file() and not hidden and each.suffix != ".pyc":
                yield path.joinpath(*parts)
