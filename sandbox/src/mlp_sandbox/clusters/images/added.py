"""Images beyond the catalogue: the list of those that were built or pulled, and their removal."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from mlp_sandbox.clusters.images import storage
from mlp_sandbox.clusters.images.buildah import Buildah
from mlp_sandbox.clusters.images.catalogue import CATALOGUE
from mlp_sandbox.clusters.images.reference import Reference, parse_reference
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.cache import locked, writable

How = Literal["built", "pulled"]


@dataclass(frozen=True, kw_only=True)
class AddedImage:
    """Image that was added. `source` is the Dockerfile or the registry; `added` is the time in UTC (ISO 8601)."""

    reference: str
    how: How
    source: str
    digest: str
    added: str


def foreign(text: str) -> Reference:
    """Parse a reference that is not in the catalogue. Raises SandboxError for one that is.

    Images of the catalogue are made here, and the next build would overwrite an added image.
    """
    reference = parse_reference(text)
    for image in CATALOGUE:
        if str(reference) in image.references:
            raise SandboxError(
                f"image {reference} is of the sandbox's catalogue, made from {image.made_from}, and stays so; "
                "use another name or tag, such as my-team/model:1"
            )
    return reference


def note(reference: Reference, how: How, source: str, digest: str) -> None:
    added = datetime.now(UTC).isoformat(timespec="seconds")
    image = AddedImage(reference=str(reference), how=how, source=source, digest=digest, added=added)
    path = _record(reference)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(json.dumps(asdict(image)) + "\n")
    temporary.replace(path)


def added_images() -> list[AddedImage]:
    """Return the added images, sorted by reference. Images that are no longer in the storage are left out."""
    found: list[AddedImage] = []
    for path in _folder().glob("*.json"):
        try:
            image = AddedImage(**json.loads(path.read_text()))
            reference = parse_reference(image.reference)
        except (OSError, ValueError, TypeError, SandboxError):
            continue
        if storage.tagged(storage.registry_folder(), reference) == image.digest:
            found.append(image)
    return sorted(found, key=lambda image: image.reference)


def remove_image(text: str, report: Callable[[str], None]) -> str:
    """Remove an added image, free its disk space, and return its full reference. Raises SandboxError.

    Clusters can no longer pull the image.
    """
    reference = foreign(text)
    there = [image.reference for image in added_images()]
    if str(reference) not in there:
        known = f"there are: {', '.join(there)}" if there else "there is none"
        raise SandboxError(f"image {reference} is not among those that were added; {known}")
    with writable(), locked("registry", report):
        storage.forget(storage.registry_folder(), reference)
        _record(reference).unlink(missing_ok=True)
        storage.prune(storage.registry_folder())
    _forget_in_buildah(reference)
    return str(reference)


def _forget_in_buildah(reference: Reference) -> None:
    """Try to remove the image from Buildah's store.

    Failures are ignored: the store is a cache, and other images may use it.
    """
    try:
        Buildah().call("rmi", str(reference))
    except SandboxError:
        return


def _folder() -> Path:
    return storage.registry_folder() / "added"


def _record(reference: Reference) -> Path:
    return _folder() / f"{hashlib.sha256(str(reference).encode()).hexdigest()[:16]}.json"
