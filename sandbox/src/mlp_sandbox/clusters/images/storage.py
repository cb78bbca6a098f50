"""Storage folder of the clusters' image registry. Images are written to it directly, so that no registry has to run.

The layout is that of the registry's file-system driver: blobs by digest, and links to them per repository.
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
    """Return the storage folder in the user's cache, which all sandboxes share."""
    return cache_folder() / "registry"


def blob(storage: Path, digest: str) -> Path:
    return _root(storage) / "blobs" / "sha256" / digest[7:9] / digest[7:] / "data"


def find(storage: Path, reference: Reference) -> str | None:
    """Return the digest of an image's manifest, or None unless all its blobs are present with correct hashes."""
    digest = tagged(storage, reference)
    return digest if digest and all(_right(storage, part) for part in parts(storage, digest)) else None


def tagged(storage: Path, reference: Reference) -> str | None:
    """Return the digest that the registry shows for a tag, without a check of the blobs."""
    try:
        return (_tag(storage, reference) / "current" / "link").read_text().strip()
    except OSError:
        return None


def parts(storage: Path, digest: str) -> list[str]:
    """Return the digests of a manifest and its blobs, or only that of the manifest if it cannot be read."""
    try:
        manifest: dict[str, Any] = json.loads(blob(storage, digest).read_text())
        return [digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    except (OSError, ValueError, KeyError, TypeError):
        return [digest]


def publish(storage: Path, layout: Path, references: list[Reference]) -> str:
    """Publish the single image of an OCI image layout under all these references, and return its manifest's digest.

    https://github.com/opencontainers/image-spec/blob/main/image-layout.md
    """
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    digest: str = entry["digest"]
    manifest = json.loads((layout / "blobs" / "sha256" / digest[7:]).read_text())
    named = [digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
    for part in named:
        # A damaged blob is replaced, because nothing else would repair it.
        if not _right(storage, part):
            _place(layout / "blobs" / "sha256" / part[7:], blob(storage, part))
    for reference in references:
        repository = _repository(storage, reference)
        for layer in named[1:]:
            _write(repository / "_layers" / "sha256" / layer[7:] / "link", layer)
        _write(repository / "_manifests" / "revisions" / "sha256" / digest[7:] / "link", digest)
        _write(_tag(storage, reference) / "index" / "sha256" / digest[7:] / "link", digest)
        # This link is last, because it makes the image visible in the registry.
        _write(_tag(storage, reference) / "current" / "link", digest)
    return digest


def export(storage: Path, reference: Reference, layout: Path) -> bool:
    """Export an image as an OCI image layout. Returns False if the image is not complete."""
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
    """Delete a tag, so that clusters can no longer pull it. `prune` frees the disk space."""
    shutil.rmtree(_tag(storage, reference), ignore_errors=True)


def prune(storage: Path) -> None:
    """Remove blobs that no tag refers to. Nothing may be published at the same time."""
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
    """Hard-link the file to the target, or copy it if that is not possible. The target appears atomically."""
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
