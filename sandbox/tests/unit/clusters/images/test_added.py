"""Images that a user added: the listing of them, and no changes to those of the catalogue."""

from pathlib import Path

import pytest

from mlp_sandbox.clusters.images import added, storage
from mlp_sandbox.clusters.images.reference import parse_reference
from mlp_sandbox.errors import SandboxError
from sandbox.tests.unit.clusters.images.layouts import layout


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")  # no Buildah
    return tmp_path


def add(folder: Path, text: str, *layers: bytes) -> str:
    reference = parse_reference(text)
    place = folder / text.replace("/", "-")
    layout(place, *layers)
    digest = storage.publish(storage.registry_folder(), place, [reference])
    added.note(reference, "pulled", reference.host, digest)
    return digest


@pytest.mark.parametrize(
    "text", ["python:3.11-slim", "docker.io/library/python:3.11-slim", "registry.k8s.io/pause:3.10"]
)
def test_images_of_the_catalogue_stay_what_they_are(text: str) -> None:
    with pytest.raises(SandboxError, match=r"is of the sandbox's catalogue, made from .*; use another name or tag"):
        added.foreign(text)
    with pytest.raises(SandboxError, match="catalogue"):
        added.remove_image(text, pytest.fail)


def test_another_tag_of_one_is_no_image_of_the_catalogue() -> None:
    assert str(added.foreign("python:3.12-slim")) == "docker.io/library/python:3.12-slim"


def test_added_images_are_listed_by_their_whole_reference(cache: Path) -> None:
    digest = add(cache, "team/b:1", b"one")
    add(cache, "ghcr.io/team/a:1", b"two")
    assert [image.reference for image in added.added_images()] == ["docker.io/team/b:1", "ghcr.io/team/a:1"]
    first = added.added_images()[0]
    assert (first.how, first.source, first.digest) == ("pulled", "docker.io", digest)


def test_what_the_storage_does_not_have_any_more_is_not_listed(cache: Path) -> None:
    add(cache, "team/b:1", b"one")
    storage.forget(storage.registry_folder(), parse_reference("team/b:1"))
    assert added.added_images() == []


def test_a_damaged_record_hides_no_other(cache: Path) -> None:
    add(cache, "team/b:1", b"one")
    (storage.registry_folder() / "added" / "damaged.json").write_text("{")
    (storage.registry_folder() / "added" / "strange.json").write_text('{"reference": "x"}')
    assert len(added.added_images()) == 1


def test_a_removed_image_frees_only_its_own_room(cache: Path) -> None:
    add(cache, "team/b:1", b"shared", b"one")
    kept = add(cache, "team/b:2", b"shared", b"two")
    assert added.remove_image("team/b:1", pytest.fail) == "docker.io/team/b:1"
    assert [image.reference for image in added.added_images()] == ["docker.io/team/b:2"]
    assert storage.find(storage.registry_folder(), parse_reference("team/b:2")) == kept
    with pytest.raises(SandboxError, match=r"not among those that were added; there are: docker.io/team/b:2"):
        added.remove_image("team/b:1", pytest.fail)
