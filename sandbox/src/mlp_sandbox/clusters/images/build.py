"""Builds of the catalogue's images and of users' Dockerfiles, into the storage that clusters pull from."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from mlp_sandbox.clusters.images import added, storage
from mlp_sandbox.clusters.images.buildah import Buildah
from mlp_sandbox.clusters.images.catalogue import CATALOGUE, CatalogueImage
from mlp_sandbox.clusters.images.digests import without_digests
from mlp_sandbox.clusters.images.machine import build_options
from mlp_sandbox.clusters.images.recipes import Recipe, recipe
from mlp_sandbox.clusters.images.reference import Reference, parse_reference
from mlp_sandbox.clusters.images.workspace import Report, publish, work_folder
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.cache import locked, writable


def find_image(name: str) -> str | None:
    """Return the digest of a catalogue image. Returns None unless the image is present, complete and up to date."""
    image = _image(name)
    try:
        record = json.loads(_record(name).read_text())
        made_of, digest = record["key"], record["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if made_of != recipe(name).key:
        return None
    found = {storage.find(storage.registry_folder(), reference) for reference in _references(image)}
    return digest if found == {digest} else None


def find_images() -> dict[str, str | None]:
    return {image.name: find_image(image.name) for image in CATALOGUE}


def ensure_images(report: Report, names: Iterable[str] | None = None) -> dict[str, str]:
    """Make the images that are missing, damaged or outdated. Returns the digests by name; raises SandboxError.

    Concurrent set-ups make each image only once.
    """
    chosen = [image.name for image in CATALOGUE] if names is None else list(names)
    found = {name: find_image(name) for name in chosen}
    missing = [name for name, digest in found.items() if digest is None]
    if missing:
        with writable(), locked("images", report):
            for name in missing:
                found[name] = find_image(name) or _make(name, report)
            with locked("registry", report):
                storage.prune(storage.registry_folder())
    return {name: digest for name, digest in found.items() if digest is not None}


def build_dockerfile(context: Path, reference: str, report: Report, dockerfile: Path | None = None) -> str:
    """Build a Dockerfile, publish the image to the clusters as `reference`, and return its digest. Raises SandboxError.

    Images of the catalogue serve as base images offline, whatever digest the Dockerfile gives them. Other base images
    are pulled.
    """
    file = dockerfile or context / "Dockerfile"
    if not file.is_file():
        raise SandboxError(f"{file} is not there; name the folder that holds the Dockerfile, or the file itself")
    name = added.foreign(reference)
    buildah = Buildah()
    ensure_images(report, ["python"])
    with writable(), work_folder(report) as work:
        _import_bases(buildah, work)
        report(f"Building {name} from {file}")
        # Docker's format, because the OCI format supports neither HEALTHCHECK nor SHELL.
        options = ["--format", "docker", *build_options(work), "--tag", str(name)]
        buildah.build(context, _with_bases_of_ours(file, work), options, report, steps=True)
        digest = publish(buildah, str(name), [name], work, report)
        added.note(name, "built", str(file.resolve()), digest)
        return digest


def _with_bases_of_ours(file: Path, work: Path) -> Path:
    """Return the Dockerfile.

    If it names base images of the catalogue by digest, return a copy without these digests.
    """
    text = file.read_bytes().decode(errors="surrogateescape")
    ours = without_digests(text)
    if ours == text:
        return file
    copy = work / "Dockerfile"
    copy.write_bytes(ours.encode(errors="surrogateescape"))
    return copy


def _make(name: str, report: Report) -> str:
    image, made = _image(name), recipe(name)
    buildah = Buildah()
    if made.base and find_image(made.base) is None:
        _make(made.base, report)
    references = _references(image)
    report(f"Making the image {references[0]} ({image.made_from}; usually {made.usually})")
    with work_folder(report) as work:
        context = work / "context"
        context.mkdir()
        made.fill(context, report)
        (work / "Dockerfile").write_text(made.dockerfile)
        if made.base:
            _import_bases(buildah, work)
        buildah.build(context, work / "Dockerfile", _options(made, references, work), report, steps=False)
        digest = publish(buildah, str(references[0]), references, work, report)
    record = _record(name)
    record.parent.mkdir(parents=True, exist_ok=True)
    temporary = record.with_name(f"{record.name}.{uuid.uuid4().hex}")
    temporary.write_text(json.dumps({"key": made.key, "digest": digest}) + "\n")
    temporary.replace(record)
    return digest


def _options(made: Recipe, references: list[Reference], work: Path) -> list[str]:
    options = ["--format", "oci", "--pull-never"]
    options += ["--timestamp", "0"] if made.stamped else build_options(work)
    return [*options, *(part for reference in references for part in ("--tag", str(reference)))]


def _import_bases(buildah: Buildah, work: Path) -> None:
    """Import the base image into Buildah's store, which may have been deleted or may hold an older image."""
    references = _references(_image("python"))
    layout = work / "base"
    if not storage.export(storage.registry_folder(), references[0], layout):
        raise SandboxError(f"the image {references[0]} is not there; make it: mlp setup")
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads((layout / "blobs" / "sha256" / index["manifests"][0]["digest"][7:]).read_text())
    identifier = manifest["config"]["digest"].removeprefix("sha256:")
    if any(buildah.image(str(reference)) != identifier for reference in references):
        buildah.call("pull", f"oci:{layout}")
        buildah.call("tag", identifier, *map(str, references))
    shutil.rmtree(layout)


def _image(name: str) -> CatalogueImage:
    for image in CATALOGUE:
        if image.name == name:
            return image
    raise SandboxError(f"no image {name!r} in the catalogue; there are: {', '.join(image.name for image in CATALOGUE)}")


def _references(image: CatalogueImage) -> list[Reference]:
    return [parse_reference(reference) for reference in image.references]


def _record(name: str) -> Path:
    return storage.registry_folder() / "images" / f"{name}.json"
