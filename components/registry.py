"""Container image repositories: immutable tags, scanning on push, and cleanup of old images.

Stateful: callers decide `protect`; `force_delete` lets `destroy` delete repositories that still contain images.
"""

import json
import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.naming import check_prefix, check_range, check_unique, slug

REPOSITORY_NAME = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class RepositoryHandle:
    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    url: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    prefix: str
    repositories: tuple[str, ...]
    key_arn: pulumi.Input[str]
    untagged_days: int = 7
    keep_images: int = 100
    force_delete: bool = False

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        check_range("untagged_days", self.untagged_days, 1, 3650)
        check_range("keep_images", self.keep_images, 1, 10_000, "images")
        check_unique("repositories", self.repositories)
        for repository in self.repositories:
            if not REPOSITORY_NAME.fullmatch(repository) or len(f"{self.prefix}/{repository}") > 256:
                raise ValueError(
                    f"repositories: {repository!r} is not a repository name: use lower-case letters and digits, "
                    f"joined by single '.', '_', '-' or '/', such as 'training/base'"
                )


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
                force_delete=args.force_delete,
                opts=child,
            )
            aws.ecr.LifecyclePolicy(
                f"{logical}-cleanup",
                repository=created.name,
                policy=cleanup_policy(args.untagged_days, args.keep_images),
                opts=replaceable,
            )
            self.repositories[repository] = RepositoryHandle(
                name=created.name, arn=created.arn, url=created.repository_url
            )
        self.register_outputs({"urls": {key: handle.url for key, handle in self.repositories.items()}})
