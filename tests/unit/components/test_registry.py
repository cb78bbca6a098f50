"""Image repositories: immutable, scanned, encrypted, cleaned up."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.registry import Registry, RegistryArgs, RegistrySpec, cleanup_policy
from mlp.recording import Deploy, RecordingCloud

from .policies import PREFIX, given

REPOSITORY = "aws:ecr/repository:Repository"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def registry(deploy: Deploy, *names: str, **changes: Any) -> tuple[Registry, RecordingCloud]:
    spec = RegistrySpec(repositories=names, **changes)
    return deploy(lambda: Registry("registry", RegistryArgs(spec=spec, prefix=PREFIX, key_arn=KEY)))


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


def test_further_repositories_are_like_those_of_the_settings(deploy: Deploy):
    args = RegistryArgs(
        spec=RegistrySpec(repositories=("mlflow",)),
        prefix=PREFIX,
        key_arn=KEY,
        further_repositories=("projects/churn",),
    )
    result, cloud = deploy(lambda: Registry("registry", args))
    assert list(result.repositories) == ["mlflow", "projects/churn"]
    mlflow, churn = ({**each.inputs, "name": ""} for each in cloud.of_type(REPOSITORY))
    assert mlflow == churn
    named = {each.inputs["name"] for each in cloud.of_type(REPOSITORY)}
    assert named == {f"{PREFIX}/{name}" for name in args.repositories}
    assert len(cloud.of_type("aws:ecr/lifecyclePolicy:LifecyclePolicy")) == 2


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


RULE = "write lower-case letters and digits, in words joined by one of . _ - /"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repositories": ("training//base",)}, rf"repositories\.0\n.*{RULE}"),
        ({"repositories": ("a" * 250,)}, rf"repositories\.0\n.*{RULE}"),
        ({"repositories": ("a", "b", "a")}, "repositories\n.*remove the repetition of a"),
        ({"repositories": ("a/b", "a-b")}, "repositories\n.*rename one of a/b and a-b, which differ in punctuation"),
        ({"untagged_days": 0}, "untagged_days\n.*greater than or equal to 1 "),
        ({"untagged_days": 366}, "untagged_days\n.*less than or equal to 365 "),
        ({"keep_images": 0}, "keep_images\n.*greater than or equal to 1 "),
        ({"keep_images": 10_001}, "keep_images\n.*less than or equal to 10000 "),
    ],
)
def test_bad_settings_name_the_field_and_the_fix(changes: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        RegistrySpec(**given({"repositories": ("mlflow",)}, changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"further_repositories": ("MLflow",)}, f"further_repositories: got 'MLflow'; {RULE}"),
        ({"further_repositories": ("training//base",)}, f"got 'training//base'; {RULE}"),
        ({"further_repositories": ("a" * 250,)}, RULE),
        ({"further_repositories": ("mlflow",)}, "repositories names mlflow more than once"),
        ({"further_repositories": ("b", "b")}, "repositories names b more than once"),
        ({"further_repositories": ("a-b",)}, "repositories: 'a/b' and 'a-b' differ in punctuation or case only"),
        ({"prefix": "x"}, "prefix must be 2 to 30 characters"),
    ],
)
def test_bad_arguments_name_the_field_the_value_and_the_fix(changes: dict[str, Any], message: str):
    spec = RegistrySpec(repositories=("mlflow", "a/b"))
    with pytest.raises(ValueError, match=message):
        RegistryArgs(**given({"spec": spec, "prefix": PREFIX, "key_arn": KEY}, changes))


def test_the_longest_name_below_the_longest_prefix_is_one_that_ecr_takes():
    """ECR takes 256 characters: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html"""
    prefix, name = "p" * 30, "a" * 200
    args = RegistryArgs(spec=RegistrySpec(repositories=(name,)), prefix=prefix, key_arn=KEY)
    assert len(f"{args.prefix}/{args.repositories[0]}") <= 256
    with pytest.raises(ValidationError, match=RULE):
        RegistrySpec(repositories=(f"{name}a",))
    with pytest.raises(ValueError, match="prefix"):
        RegistryArgs(spec=args.spec, prefix=f"{prefix}p", key_arn=KEY)
