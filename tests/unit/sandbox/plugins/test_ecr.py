"""Container repositories through their life."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from sandbox.plugins.aws.resource import Handler
from sandbox.plugins.aws.services.ecr import FILTERS, HANDLERS, LifecyclePolicy, Repository
from tests.unit.sandbox.plugins.driver import Life, assert_speaks_the_sdk, replaced_inputs

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
