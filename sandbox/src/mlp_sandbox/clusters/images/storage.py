"""The folder that the clusters' image registry serves: written here directly, so that no registry has to run for it.

Its layout is the one of the registry's file-system driver: blobs by digest, and per repository links to them.
https://distribution.github.io/distribution/storage-drivers/filesystem/
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlp_sandbox.clusters.images.reference import Reference
from mlp_sandbox.toolchain.cache import cache_folder


def registry_folder() -> Path:
    """In the user's cache, shared by all sandboxes."""
    return cache_folder() / "registry"


def blob(storage: Path, digest: str) -> Path:
    return _root(storage) / "blobs" / "sha256" / digest[7:9] / digest[7:] / "data"


def find(storage: Path, reference: Reference) -> str | None:
    """The digest of the image's manifest; None unless it and all that it names are there, byte for byte."""
    digest = tagged(storage, reference)
    return digest if digest and all(_right(storage, part) for part in parts(storage, digest)) else None


def tagged(storage: Path, reference: Reference) -> str | None:
    """The digest that the registry shows for it; nothing is checked."""
    try:
        return (_tag(storage, reference) / "current" / "link").read_text().strip()
    except OSError:
        return None


def parts(storage: Path, digest: str) -> list[str]:
    """The manifest's digest and those that it names; only its own when it cannot be read."""
    try:
        manifest: dict[str, Any] = json.loads(blob(storage, digest).read_text())
        return [digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    except (OSError, ValueError, KeyError, TypeError):
        return [digest]


def publish(storage: Path, layout: Path, references: list[Reference]) -> str:
    """Take over the one image of an OCI image layout under all these references; its manifest's digest.

    https://github.com/opencontainers/image-spec/blob/main/image-layout.md
    """
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    digest: str = entry["digest"]
    manifest = json.loads((layout / "blobs" / "sha256" / digest[7:]).read_text())
    named = [digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    for part in named:
        # A damaged blob counts as not there: nobody would send it again.
        if not _right(storage, part):
            _place(layout / "blobs" / "sha256" / part[7:], blob(storage, part))
    for reference in references:
        repository = _repository(storage, reference)
        for layer in named[1:]:
            _write(repository / "_layers" / "sha256" / layer[7:] / "link", layer)
        _write(repository / "_manifests" / "revisions" / "sha256" / digest[7:] / "link", digest)
        _write(_tag(storage, reference) / "index" / "sha256" / digest[7:] / "link", digest)
        # Last: from here on the registry shows it.
        _write(_tag(storage, reference) / "current" / "link", digest)
    return digest


def export(storage: Path, reference: Reference, layout: Path) -> bool:
    """Make an OCI image layout of an image; False when it is not there whole."""
    digest = find(storage, reference)
    if digest is None:
        return False
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for part in parts(storage, digest):
        _place(blob(storage, part), blobs / part[7:])
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    manifest = {
        "mediaType": json.loads(blob(storage, digest).read_text())["mediaType"],
        "digest": digest,
        "size": blob(storage, digest).stat().st_size,
    }
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    return True


def forget(storage: Path, reference: Reference) -> None:
    """Clusters can pull it no more; `prune` frees the room."""
    shutil.rmtree(_tag(storage, reference), ignore_errors=True)


def prune(storage: Path) -> None:
    """Remove blobs that no tag needs any more. Nothing may be published meanwhile."""
    needed = {part for digest in _tagged(storage) for part in parts(storage, digest)}
    for data in (_root(storage) / "blobs" / "sha256").glob("*/*"):
        if f"sha256:{data.name}" not in needed:
            shutil.rmtree(data, ignore_errors=True)


def _tagged(storage: Path) -> Iterator[str]:
    for link in (_root(storage) / "repositories").glob("**/_manifests/tags/*/current/link"):
        yield link.read_text().strip()


def _right(storage: Path, digest: str) -> bool:
    try:
        with blob(storage, digest).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == digest.removeprefix("sha256:")
    except OSError:
        return False


def _root(storage: Path) -> Path:
    return storage / "docker" / "registry" / "v2"


def _repository(storage: Path, reference: Reference) -> Path:
    return _root(storage) / "repositories" / reference.repository


def _tag(storage: Path, reference: Reference) -> Path:
    return _repository(storage, reference) / "_manifests" / "tags" / reference.tag


def _place(source: Path, target: Path) -> None:
    """A second name for the same content, or a copy where there can be none; whole from the first moment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
    temporary.replace(target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(text)
    temporary.replace(path)
