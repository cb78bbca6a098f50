"""Images in ECR: those of the sandbox's store where nodes run containers; elsewhere every tag exists."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlp_sandbox.clusters.images import added, storage
from mlp_sandbox.clusters.images.reference import parse_reference
from mlp_sandbox.emulator.services import ecr_images
from mlp_sandbox.emulator.services.ecr_images import EveryTag, StoredImages
from sandbox.tests.unit.emulator.emulated import Emulated

REPOSITORY = "ml-platform-dev/projects/churn"
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
MEDIA_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def built(cache: Path, reference: str) -> str:
    """Put an image into the store as `mlp images build` does."""
    layout = cache / "layout"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MEDIA_TYPE,
        "config": {"digest": digest(layout, reference.encode()), "size": len(reference)},
        "layers": [{"digest": digest(layout, b"layer"), "size": 5}],
    }
    made = digest(layout, json.dumps(manifest).encode())
    (layout / "index.json").write_text(json.dumps({"manifests": [{"digest": made}]}))
    name = parse_reference(reference)
    storage.publish(storage.registry_folder(), layout, [name])
    added.note(name, "built", "Dockerfile", made)
    return made


def digest(layout: Path, content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (layout / "blobs" / "sha256" / name).write_bytes(content)
    return f"sha256:{name}"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def ecr(emulated: Emulated, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the ECR client of a sandbox whose nodes run containers."""
    monkeypatch.setattr(ecr_images, "CURRENT", StoredImages())
    client = emulated.client("ecr")
    client.create_repository(repositoryName=REPOSITORY)
    client.create_repository(repositoryName="other")
    return client


def tags(found: dict[str, Any]) -> list[str]:
    return [tag for each in found["imageDetails"] for tag in each["imageTags"]]


def test_an_image_that_was_built_is_pushed_to_its_repository_alone(ecr: Any, cache: Path):
    made = built(cache, f"{HOST}/{REPOSITORY}:a1")
    [image] = ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "a1"}])["imageDetails"]
    assert (image["imageDigest"], image["imageTags"], image["imageSizeInBytes"]) == (made, ["a1"], 5)
    assert tags(ecr.describe_images(repositoryName=REPOSITORY)) == ["a1"]
    assert tags(ecr.describe_images(repositoryName="other")) == []
    assert ecr.list_images(repositoryName=REPOSITORY)["imageIds"] == [{"imageDigest": made, "imageTag": "a1"}]
    [content] = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageDigest": made}])["images"]
    assert json.loads(content["imageManifest"])["layers"][0]["size"] == 5


@pytest.mark.parametrize("reference", [f"{HOST}/{REPOSITORY}:other", f"{HOST}/other:a1", f"{REPOSITORY}:a1"])
def test_another_tag_or_repository_does_not_count(ecr: Any, cache: Path, reference: str):
    built(cache, reference)
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "a1"}])
    missing = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "a1"}])
    assert (missing["images"], missing["failures"][0]["failureCode"]) == ([], "ImageNotFound")


def test_an_image_that_was_put_through_the_api_is_there_beside_what_was_built(ecr: Any, cache: Path):
    built(cache, f"{HOST}/{REPOSITORY}:a1")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": {"digest": "sha256:0"}, "layers": []})
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=manifest, imageTag="put")
    assert sorted(tags(ecr.describe_images(repositoryName=REPOSITORY))) == ["a1", "put"]
    both = [{"imageTag": "a1"}, {"imageTag": "put"}]
    assert sorted(tags(ecr.describe_images(repositoryName=REPOSITORY, imageIds=both))) == ["a1", "put"]
    assert len(ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=both)["images"]) == 2


def test_an_image_that_was_removed_from_the_store_is_gone(ecr: Any, cache: Path):
    reference = f"{HOST}/{REPOSITORY}:a1"
    built(cache, reference)
    storage.forget(storage.registry_folder(), parse_reference(reference))
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        ecr.describe_images(repositoryName=REPOSITORY, imageIds=[{"imageTag": "a1"}])


def test_where_nothing_runs_every_tag_of_a_repository_counts(ecr: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ecr_images, "CURRENT", EveryTag())
    asked = {"repositoryName": REPOSITORY, "imageIds": [{"imageTag": "whatever"}]}
    assert tags(ecr.describe_images(**asked)) == ["whatever"]
    [image] = ecr.batch_get_image(**asked)["images"]
    assert image["imageId"]["imageTag"] == "whatever"
    assert tags(ecr.describe_images(repositoryName=REPOSITORY)) == []


@pytest.mark.parametrize("operation", ["describe_images", "list_images", "batch_get_image"])
@pytest.mark.parametrize("current", [EveryTag(), StoredImages()])
def test_a_repository_that_is_not_there_has_no_images(
    ecr: Any, monkeypatch: pytest.MonkeyPatch, current: Any, operation: str
):
    monkeypatch.setattr(ecr_images, "CURRENT", current)
    more = {} if operation == "list_images" else {"imageIds": [{"imageTag": "a1"}]}
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        getattr(ecr, operation)(repositoryName="gone", **more)
