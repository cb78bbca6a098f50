"""`mlp images pin`: find the files that name third-party images, and write current digests into them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from components.images.table import ImageTableError, bases, parse_table, with_digests, with_pinned_bases
from mlp.console import PlainError

TABLE: Final = Path("platform_services/images.txt")
DOCKERFILES: Final = ("platform_services/mlflow/image/Dockerfile", "ml_workloads/projects/*/Dockerfile")
ReadDigest = Callable[[str], str]


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """Result of pinning.

    `digests` and `problems` (errors of images that could not be read) are keyed by reference; `changed` are the written
    files.
    """

    digests: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    changed: tuple[Path, ...] = ()


def pin(root: Path, read_digest: ReadDigest) -> Pinned:
    """Query the registries and write the digests. An image that cannot be read keeps its old digest.

    Args:
        root: root folder of the repository.
        read_digest: function that returns the digest of a reference, or raises PlainError.

    Raises:
        PlainError: the table is invalid. Nothing is written then.
    """
    # Read as bytes to preserve line endings.
    texts = {path: path.read_bytes().decode() for path in (root / TABLE, *_dockerfiles(root))}
    try:
        table = parse_table(texts[root / TABLE], str(TABLE))
    except ImageTableError as error:
        raise PlainError(str(error)) from error
    references = dict.fromkeys(image.reference for image in table.values())
    for path in _dockerfiles(root):
        references |= dict.fromkeys(bases(texts[path]))
    digests: dict[str, str] = {}
    problems: dict[str, str] = {}
    for reference in references:
        try:
            digests[reference] = read_digest(reference)
        except PlainError as error:
            problems[reference] = str(error)
    found = {name: digests[image.reference] for name, image in table.items() if image.reference in digests}
    wanted = {root / TABLE: with_digests(texts[root / TABLE], found, str(TABLE))}
    wanted |= {path: with_pinned_bases(texts[path], digests) for path in _dockerfiles(root)}
    changed = tuple(path for path, text in wanted.items() if text != texts[path])
    for path in changed:
        _replace(path, wanted[path])
    return Pinned(digests=digests, problems=problems, changed=tuple(path.relative_to(root) for path in changed))


def _dockerfiles(root: Path) -> Iterator[Path]:
    for pattern in DOCKERFILES:
        yield from sorted(root.glob(pattern))


def _replace(path: Path, text: str) -> None:
    """Replace a file atomically: concurrent readers see the old file until then."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(text.encode())
        temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
