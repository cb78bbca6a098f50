"""Image repositories: immutable, scanned, encrypted, cleaned up."""

import json
from typing import Any

import pytest

from components.registry import Registry, RegistryArgs, cleanup_policy
from mlp.recording import Deploy, RecordingCloud

from .policies import PREFIX, given

REPOSITORY = "aws:ecr/repository:Repository"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def registry(deploy: Deploy, *names: str, **changes: Any) -> tuple[Registry, RecordingCloud]:
    return deploy(lambda: Registry("registry", RegistryArgs(prefix=PREFIX, repositories=names, key_arn=KEY, **changes)))


def test_what_was_pushed_under_a_tag_never_changes_and_is_scanned(deploy: Deploy):
    _, cloud = registry(deploy, "mlflow", "training/base")
    assert len(cloud.of_type(REPOSITORY)) == 2
    for repository in cloud.of_type(REPOSITORY):
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
        assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        assert repository.inputs["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": KEY}]
        assert repository.inputs["forceDelete"] is False


def test_repositories_are_named_under_the_prefix_and_cleaned_up(deploy: Deploy):
    result, cloud = registry(deploy, "training/base", untagged_days=3, keep_images=5)
    [repository] = cloud.of_type(REPOSITORY)
    assert repository.inputs["name"] == f"{PREFIX}/training/base"
    assert list(result.repositories) == ["training/base"]
    [cleanup] = cloud.of_type("aws:ecr/lifecyclePolicy:LifecyclePolicy")
    assert cleanup.inputs == {"repository": f"{PREFIX}/training/base", "policy": cleanup_policy(3, 5)}


def test_untagged_images_expire_by_age_before_the_rest_is_counted():
    first, second = json.loads(cleanup_policy(3, 5))["rules"]
    assert (first["rulePriority"], first["selection"]["tagStatus"], first["selection"]["countNumber"]) == (
        1,
        "untagged",
        3,
    )
    assert (second["rulePriority"], second["selection"]["tagStatus"], second["selection"]["countNumber"]) == (
        2,
        "any",
        5,
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repositories": ("MLflow",)}, "repositories: 'MLflow' is not a repository name.*such as 'training/base'"),
        ({"repositories": ("training//base",)}, "'training//base' is not a repository name"),
        ({"repositories": ("a", "b", "a")}, "repositories names a more than once"),
        ({"repositories": ("a/b", "a-b")}, "repositories: 'a/b' and 'a-b' differ in punctuation or case only"),
        ({"repositories": ("a" * 250,)}, "is not a repository name"),
        ({"untagged_days": 0}, "untagged_days must be 1 to 3650 days, got 0"),
        ({"keep_images": 0}, "keep_images must be 1 to 10000 images, got 0"),
        ({"prefix": "x"}, "prefix must be 2 to 30 characters"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        RegistryArgs(**given({"prefix": PREFIX, "repositories": ("mlflow",), "key_arn": KEY}, changes))
