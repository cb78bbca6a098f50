"""The registry's folder contains an image completely or not at all."""

import json
from pathlib import Path

import pytest

from mlp_sandbox.clusters.images import storage
from mlp_sandbox.clusters.images.reference import parse_reference
from sandbox.tests.unit.clusters.images.layouts import layout

MODEL, OTHER = parse_reference("my-team/model:1"), parse_reference("public.ecr.aws/x/model:2")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_published_is_found_under_all_its_references(tmp_path: Path) -> None:
    digest = layout(tmp_path / "layout", b"one", b"two")
    assert storage.publish(tmp_path / "registry", tmp_path / "layout", [MODEL, OTHER]) == digest
    assert storage.find(tmp_path / "registry", MODEL) == storage.find(tmp_path / "registry", OTHER) == digest
    assert storage.find(tmp_path / "registry", parse_reference("my-team/model:2")) is None


def test_it_is_laid_out_as_the_registry_reads_it(tmp_path: Path) -> None:
    digest = layout(tmp_path / "layout", b"one")
    storage.publish(tmp_path / "registry", tmp_path / "layout", [MODEL])
    root = tmp_path / "registry" / "docker" / "registry" / "v2"
    repository = root / "repositories" / "docker.io" / "my-team" / "model"
    for link in (
        "tags/1/current/link",
        f"tags/1/index/sha256/{digest[7:]}/link",
        f"revisions/sha256/{digest[7:]}/link",
    ):
        assert (repository / "_manifests" / link).read_text() == digest
    assert len(list((repository / "_layers" / "sha256").iterdir())) == 2
    assert len(list((root / "blobs" / "sha256").glob("*/*/data"))) == 3


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing", "no manifest", "no tag"])
def test_a_damaged_image_is_not_there_and_publishing_mends_it(tmp_path: Path, damage: str) -> None:
    place = tmp_path / "registry"
    digest = layout(tmp_path / "layout", b"one", b"two")
    storage.publish(place, tmp_path / "layout", [MODEL])
    layer = storage.blob(place, storage.parts(place, digest)[-1])
    # What is published shares its content with the layout where it can: damage the one, not both.
    layer.unlink()
    layer.write_bytes(b"two")
    match damage:
        case "truncated":
            layer.write_bytes(b"tw")
        case "changed":
            layer.write_bytes(b"tWo")
        case "missing":
            layer.unlink()
        case "no manifest":
            storage.blob(place, digest).unlink()
        case _:
            next(place.rglob("current/link")).unlink()
    assert storage.find(place, MODEL) is None
    assert not storage.export(place, MODEL, tmp_path / "exported")
    storage.publish(place, tmp_path / "layout", [MODEL])
    assert storage.find(place, MODEL) == digest


def test_an_image_comes_out_as_it_went_in(tmp_path: Path) -> None:
    digest = layout(tmp_path / "layout", b"one", b"two")
    storage.publish(tmp_path / "registry", tmp_path / "layout", [MODEL])
    assert storage.export(tmp_path / "registry", MODEL, tmp_path / "exported")
    assert files(tmp_path / "exported" / "blobs") == files(tmp_path / "layout" / "blobs")
    [entry] = json.loads((tmp_path / "exported" / "index.json").read_text())["manifests"]
    assert entry["digest"] == digest
    assert entry["mediaType"] == "application/vnd.oci.image.manifest.v1+json"


def test_only_what_no_tag_needs_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "registry"
    layout(tmp_path / "old", b"shared", b"old")
    storage.publish(place, tmp_path / "old", [MODEL])
    old = storage.find(place, MODEL)
    layout(tmp_path / "other", b"other")
    storage.publish(place, tmp_path / "other", [OTHER])
    layout(tmp_path / "new", b"shared", b"new")
    new = storage.publish(place, tmp_path / "new", [MODEL])
    storage.prune(place)
    assert storage.find(place, MODEL) == new
    assert storage.find(place, OTHER)
    assert old is not None
    assert not storage.blob(place, old).exists()
    contents = {path.read_bytes() for path in place.rglob("data")}
    assert {b"shared", b"new", b"other"} < contents
    assert b"old" not in contents


def test_what_is_forgotten_is_gone_under_that_reference_alone(tmp_path: Path) -> None:
    digest = layout(tmp_path / "layout", b"one")
    storage.publish(tmp_path / "registry", tmp_path / "layout", [MODEL, OTHER])
    storage.forget(tmp_path / "registry", MODEL)
    storage.prune(tmp_path / "registry")
    assert storage.find(tmp_path / "registry", MODEL) is None
    assert storage.find(tmp_path / "registry", OTHER) == digest


def test_a_folder_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert storage.find(tmp_path, MODEL) is None
    storage.prune(tmp_path)
