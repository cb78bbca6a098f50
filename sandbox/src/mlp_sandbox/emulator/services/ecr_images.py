"""ECR: the images of a repository, besides those that were put there through the API.

Nodes that run containers take images from the sandbox's store: an image built for an ECR reference counts as pushed.
Where no node runs containers, nothing can be built either, so every tag of a repository counts as pushed.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from moto.ecr.models import ecr_backends

from mlp_sandbox.emulator.messages import Request
from mlp_sandbox.emulator.services.registry import Call, Result, extends

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True, kw_only=True)
class PushedImage:
    """An image in a repository. `size` is in bytes, compressed."""

    tag: str
    digest: str
    manifest: str
    media_type: str
    size: int
    pushed: datetime


class PushedImages(Protocol):
    """A source of pushed images. `uri` is that of a repository: registry host and name."""

    def of(self, uri: str) -> Sequence[PushedImage]:
        """Return all known images of the repository."""
        ...

    def find(self, uri: str, tag: str) -> PushedImage | None: ...


class StoredImages:
    """Images that were built or pulled into the sandbox's store."""

    def of(self, uri: str) -> Sequence[PushedImage]:
        from mlp_sandbox.clusters.images import added_images
        from mlp_sandbox.clusters.images.storage import blob, registry_folder

        found: list[PushedImage] = []
        for image in added_images():
            repository, _, tag = image.reference.rpartition(":")
            if repository != uri:
                continue
            manifest = blob(registry_folder(), image.digest).read_text()
            content = json.loads(manifest)
            found.append(
                PushedImage(
                    tag=tag,
                    digest=image.digest,
                    manifest=manifest,
                    media_type=content.get("mediaType", MANIFEST),
                    size=sum(int(layer["size"]) for layer in content["layers"]),
                    pushed=datetime.fromisoformat(image.added),
                )
            )
        return found

    def find(self, uri: str, tag: str) -> PushedImage | None:
        return next((image for image in self.of(uri) if image.tag == tag), None)


class EveryTag:
    """Every tag counts as an image: for clusters whose pods run no containers."""

    def of(self, uri: str) -> Sequence[PushedImage]:
        return ()

    def find(self, uri: str, tag: str) -> PushedImage | None:
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": {"of": uri}})
        digest = f"sha256:{hashlib.sha256(f'{uri}:{tag}'.encode()).hexdigest()}"
        return PushedImage(
            tag=tag, digest=digest, manifest=manifest, media_type=MANIFEST, size=0, pushed=datetime.now(UTC)
        )


CURRENT: PushedImages | None = None
"""Set by the service that has clusters. When it is None, only images put through the API exist."""


@extends("ecr", "DescribeImages")
def describe_images(call: Call) -> Result:
    repository, wanted = _repository(call), call.params.get("imageIds")
    if repository is None:
        return call.proceed()
    if wanted:
        ours, others = _split(repository, wanted)
        details = call.proceed(_asking(call, others))["imageDetails"] if others else []
        return {"imageDetails": [*details, *(_detail(repository, image) for image in ours)]}
    result = call.proceed()
    known = {tag for each in result["imageDetails"] for tag in each.get("imageTags", [])}
    result["imageDetails"] += [_detail(repository, image) for image in _unlisted(call, repository, known)]
    return result


@extends("ecr", "ListImages")
def list_images(call: Call) -> Result:
    repository, result = _repository(call), call.proceed()
    if repository is not None:
        known = {each.get("imageTag") for each in result["imageIds"]}
        result["imageIds"] += [_identifier(image) for image in _unlisted(call, repository, known)]
    return result


@extends("ecr", "BatchGetImage")
def batch_get_image(call: Call) -> Result:
    repository, wanted = _repository(call), call.params.get("imageIds")
    if repository is None or not wanted:
        return call.proceed()
    ours, others = _split(repository, wanted)
    result: Result = call.proceed(_asking(call, others)) if others else {"images": [], "failures": []}
    result["images"] += [
        {
            "registryId": repository.registry_id,
            "repositoryName": repository.name,
            "imageId": _identifier(image),
            "imageManifest": image.manifest,
            "imageManifestMediaType": image.media_type,
        }
        for image in ours
    ]
    return result


def _repository(call: Call) -> Any | None:
    """Return moto's repository, or None if this module adds no images to moto's answer.

    None: no source of pushed images is set, the registry is another account's, or the repository does not exist.
    """
    backend: Any = ecr_backends[call.identity.account][call.identity.region]
    if CURRENT is None or call.params.get("registryId", call.identity.account) != call.identity.account:
        return None
    return backend.repositories.get(call.params.get("repositoryName"))


def _split(repository: Any, wanted: Sequence[dict[str, str]]) -> tuple[list[PushedImage], list[dict[str, str]]]:
    """Return the images found here, and the identifiers of the others."""
    ours: list[PushedImage] = []
    others: list[dict[str, str]] = []
    for each in wanted:
        found = None if _is_motos(repository, each) else _found(repository.uri, each)
        if found:
            ours.append(found)
        else:
            others.append(each)
    return ours, others


def _is_motos(repository: Any, wanted: dict[str, str]) -> bool:
    return any(
        wanted.get("imageTag") in image.image_tags or wanted.get("imageDigest") == image.get_image_digest()
        for image in repository.images
    )


def _found(uri: str, wanted: dict[str, str]) -> PushedImage | None:
    tag, digest = wanted.get("imageTag"), wanted.get("imageDigest")
    if CURRENT is None:
        return None
    if tag is None:
        return next((image for image in CURRENT.of(uri) if image.digest == digest), None)
    found = CURRENT.find(uri, tag)
    return found if found and digest in (None, found.digest) else None


def _unlisted(call: Call, repository: Any, known: set[str | None]) -> list[PushedImage]:
    if CURRENT is None or call.params.get("filter", {}).get("tagStatus") == "UNTAGGED":
        return []
    return [image for image in CURRENT.of(repository.uri) if image.tag not in known]


def _identifier(image: PushedImage) -> dict[str, str]:
    return {"imageDigest": image.digest, "imageTag": image.tag}


def _detail(repository: Any, image: PushedImage) -> Result:
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageTags": [image.tag],
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed,
        "imageManifestMediaType": image.media_type,
    }


def _asking(call: Call, others: Sequence[dict[str, str]]) -> Request:
    """Return the request for the other images, which moto answers."""
    return replace(call.request, body=json.dumps({**call.params, "imageIds": list(others)}).encode())
