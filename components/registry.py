"""Container image repositories: immutable tags, scanning on push, and cleanup of old images.

`RegistrySpec` is the section `registry` of a stack file.
Stateful: callers decide `protect`; `force_delete` lets `destroy` delete repositories that still contain images.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-create.html
"""

import json
import re
from dataclasses import dataclass
from typing import Annotated

import pulumi
import pulumi_aws as aws
from pydantic import AfterValidator, Field, Strict

from components.naming import check_prefix, check_unique, distinct_slugs, slug
from validation.base import Allowed, Section, unique


def repository_name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*([._/-][a-z0-9]+)*", text) or len(text) > 200:
        raise ValueError("write lower-case letters and digits, in words joined by one of . _ - /")
    return text


RepositoryNames = Annotated[
    tuple[Annotated[str, AfterValidator(repository_name), Allowed("repository name")], ...],
    Strict(False),
    AfterValidator(unique),
    AfterValidator(distinct_slugs),
]


class RegistrySpec(Section):
    repositories: RepositoryNames = Field(min_length=1)
    """Repositories, without the environment's prefix."""
    keep_images: int = Field(default=100, ge=1, le=10000)
    """Number of tagged images to keep in each repository."""
    untagged_days: int = Field(default=7, ge=1, le=365)
    """Days after which ECR removes untagged images."""
    force_delete: bool = False
    """If true, destroying the environment deletes repositories that still contain images."""


@dataclass(frozen=True, kw_only=True)
class RepositoryHandle:
    url: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """Arguments of `Registry`.

    Attributes:
        spec: Settings of the repositories.
        prefix: Start of the repositories' names.
        key_arn: ARN of the KMS key that encrypts images.
        further_repositories: Names of repositories in addition to those of the settings, without the prefix.
    """

    spec: RegistrySpec
    prefix: str
    key_arn: pulumi.Input[str]
    further_repositories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        for repository in self.further_repositories:
            try:
                repository_name(repository)
            except ValueError as error:
                raise ValueError(f"further_repositories: got {repository!r}; {error}") from error
        check_unique("repositories", self.repositories)

    @property
    def repositories(self) -> tuple[str, ...]:
        """Return the names of all repositories, without the prefix."""
        return (*self.spec.repositories, *self.further_repositories)


def cleanup_policy(untagged_days: int, keep_images: int) -> str:
    """Return the lifecycle policy.

    ECR applies rules by priority, and an image counts for the first rule that matches it; `any` must come last.
    """
    return json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "description": f"Expire untagged images after {untagged_days} days",
                    "selection": {
                        "tagStatus": "untagged",
                        "countType": "sinceImagePushed",
                        "countUnit": "days",
                        "countNumber": untagged_days,
                    },
                    "action": {"type": "expire"},
                },
                {
                    "rulePriority": 2,
                    "description": f"Keep the newest {keep_images} images",
                    "selection": {
                        "tagStatus": "any",
                        "countType": "imageCountMoreThan",
                        "countNumber": keep_images,
                    },
                    "action": {"type": "expire"},
                },
            ]
        },
        separators=(",", ":"),
    )


class Registry(pulumi.ComponentResource):
    repositories: dict[str, RepositoryHandle]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Registry", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Rules contain no data. A change of them replaces the resource, which protection would prevent.
        replaceable = pulumi.ResourceOptions(parent=self, protect=False)
        self.repositories = {}
        for repository in args.repositories:
            logical = f"{name}-{slug(repository)}"
            created = aws.ecr.Repository(
                logical,
                name=f"{args.prefix}/{repository}",
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration={"scan_on_push": True},
                encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.key_arn}],
                force_delete=args.spec.force_delete,
                opts=child,
            )
            aws.ecr.LifecyclePolicy(
                f"{logical}-cleanup",
                repository=created.name,
                policy=cleanup_policy(args.spec.untagged_days, args.spec.keep_images),
                opts=replaceable,
            )
            self.repositories[repository] = RepositoryHandle(url=created.repository_url)
        self.register_outputs({})
