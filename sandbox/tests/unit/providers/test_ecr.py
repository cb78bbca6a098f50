"""Container repositories through their life."""

from __future__ import annotations

import inspect
import json
import re

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from pulumi_aws.ecr.get_image import GetImageResult

from mlp_sandbox.providers.aws.resource import Aws, Handler
from mlp_sandbox.providers.aws.services.ecr import FILTERS, HANDLERS, LifecyclePolicy, Repository, get_image
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk, replaced_inputs

KEY = "arn:aws:kms:us-east-1:123456789012:key/0e6f2c6e-7b0f-4a57-9d0c-000000000000"
FULL = {
    "name": "mlops/training",
    "imageTagMutability": "IMMUTABLE",
    "imageScanningConfiguration": {"scanOnPush": True},
    "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
    "tags": {"team": "ml"},
}


def expire(count: int) -> str:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_exactly_the_inputs_that_the_official_provider_cannot_change_replace() -> None:
    assert replaced_inputs(HANDLERS) == {
        "Repository": {"name", "encryptionConfigurations", "region"},
        "LifecyclePolicy": {"policy", "repository", "region"},
    }


@mock_aws
def test_a_repository_changes_mutability_scanning_and_tags_in_place() -> None:
    changed = {
        **FULL,
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "tags": {"owner": "platform"},
    }
    assert Life(Repository()).lives(FULL, changed) == "mlops/training"


@mock_aws
def test_a_repository_of_only_a_name_shows_no_drift() -> None:
    life = Life(Repository())
    live = life.live(life.create(name="plain"))
    assert live["repositoryUrl"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain"
    life.reads_back("plain", {"name": "plain"})


@mock_aws
def test_a_repository_with_images_is_deleted_only_by_force() -> None:
    life = Life(Repository())
    id = life.create(name="full")
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": {"digest": "sha256:0"}, "layers": []})
    boto3.client("ecr").put_image(repositoryName=id, imageManifest=manifest, imageTag="v1")
    with pytest.raises(ClientError, match="RepositoryNotEmptyException"):
        life.delete(id)
    life.delete(id, forceDelete=True)
    assert life.read(id) is None


def test_exclusion_filters_without_an_exclusion_are_refused_with_the_fix() -> None:
    filters = [{"filter": "dev-*", "filterType": "WILDCARD"}]
    problems = dict(Repository().check({"name": "a", "imageTagMutability": "IMMUTABLE", FILTERS: filters}))
    assert "IMMUTABLE_WITH_EXCLUSION" in problems[FILTERS]
    assert Repository().check({"name": "a", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", FILTERS: filters}) == []


def test_an_unknown_mutability_is_refused_with_the_allowed_ones() -> None:
    assert (
        "MUTABLE, IMMUTABLE"
        in dict(Repository().check({"name": "a", "imageTagMutability": "FROZEN"}))["imageTagMutability"]
    )


@mock_aws
def test_a_lifecycle_policy_is_gone_with_its_deletion_or_its_repository() -> None:
    repositories, life = Life(Repository()), Life(LifecyclePolicy())
    repositories.create(name="training")
    inputs = {"repository": "training", "policy": expire(10)}
    assert life.lives(inputs) == "training"
    life.create(**inputs)
    repositories.delete("training", forceDelete=True)
    assert life.read("training") is None


def test_a_changed_lifecycle_policy_replaces_with_deletion_first() -> None:
    assert LifecyclePolicy.fields["policy"].replace
    assert LifecyclePolicy.delete_before_replace


def push(repository: str, tag: str) -> str:
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": {"digest": tag}, "layers": []})
    return boto3.client("ecr").put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)["image"][
        "imageId"
    ]["imageDigest"]


@mock_aws
def test_an_image_is_found_by_tag_digest_or_age_in_the_words_of_the_sdk() -> None:
    Life(Repository()).create(name="mlops/training")
    aws = Aws("us-east-1")
    old, new = push("mlops/training", "v1"), push("mlops/training", "v2")
    by_tag = get_image(aws, {"repositoryName": "mlops/training", "imageTag": "v1"})
    assert (by_tag["imageDigest"], by_tag["imageTags"]) == (old, ["v1"])
    assert get_image(aws, {"repositoryName": "mlops/training", "imageDigest": old})["imageDigest"] == old
    assert get_image(aws, {"repositoryName": "mlops/training", "mostRecent": True})["imageDigest"] in (old, new)
    assert by_tag["imageUri"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/mlops/training@{old}"
    known = set(inspect.signature(GetImageResult.__init__).parameters) - {"self"}
    assert {snake(name) for name in by_tag} <= known


def snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


@mock_aws
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"repositoryName": "mlops/training", "imageTag": "v1"}, "ImageNotFoundException"),
        ({"repositoryName": "mlops/other", "imageTag": "v1"}, "RepositoryNotFoundException"),
    ],
)
def test_an_image_or_repository_that_is_not_there_is_told_by_aws_code(asked: dict[str, str], code: str) -> None:
    Life(Repository()).create(name="mlops/training")
    with pytest.raises(ClientError, match=code):
        get_image(Aws("us-east-1"), asked)


def test_an_image_of_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="give one of imageDigest, imageTag and mostRecent"):
        get_image(Aws("us-east-1"), {"repositoryName": "mlops/training"})
