"""ECR repositories and their lifecycle policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mlp_sandbox.providers.aws.resource import AutoName, Aws, Field, Handler, Props
from mlp_sandbox.providers.aws.services._common import (
    REGION,
    TAGS,
    Problems,
    ServiceHandler,
    change_tags,
    document,
    from_pairs,
    given,
    json_text,
    missing,
    one_of,
    present,
    to_pairs,
)

FILTERS = "imageTagMutabilityExclusionFilters"
MUTABILITY = ("MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
UNSCANNED = {"scanOnPush": False}


class Repository(ServiceHandler):
    token = "aws:ecr/repository:Repository"
    service = "ecr"
    tagged = True
    autoname = AutoName(lowercase=True, max_length=256)
    outputs = ("arn", "registryId", "repositoryUrl")
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        **TAGS,
        "encryptionConfigurations": Field(replace=True, computed=True),
        "forceDelete": Field(default=False, write_only=True),
        "imageScanningConfiguration": Field(default=UNSCANNED),
        "imageTagMutability": Field(default="MUTABLE"),
        FILTERS: Field(kind="set"),
        "name": Field(replace=True),
    }

    def check(self, inputs: Props) -> Problems:
        problems = [*super().check(inputs), *one_of(inputs, "imageTagMutability", MUTABILITY)]
        mutability, encryption = inputs.get("imageTagMutability", "MUTABLE"), inputs.get("encryptionConfigurations")
        if FILTERS in inputs and isinstance(mutability, str) and not mutability.endswith("_WITH_EXCLUSION"):
            problems.append((FILTERS, f"needs imageTagMutability {mutability}_WITH_EXCLUSION, it is {mutability}"))
        if isinstance(encryption, list) and len(encryption) > 1:
            problems.append(("encryptionConfigurations", f"has {len(encryption)} entries: give one"))
        return problems

    def create(self, aws: Aws, inputs: Props) -> str:
        encryption = inputs.get("encryptionConfigurations")
        self.client(aws, inputs).create_repository(
            repositoryName=inputs["name"],
            imageTagMutability=inputs.get("imageTagMutability", "MUTABLE"),
            imageScanningConfiguration=inputs.get("imageScanningConfiguration", UNSCANNED),
            tags=to_pairs(inputs.get("tags")),
            **given(
                encryptionConfiguration=encryption[0] if encryption else None,
                imageTagMutabilityExclusionFilters=inputs.get(FILTERS),
            ),
        )
        return str(inputs["name"])

    @missing("RepositoryNotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        ecr = self.client(aws, inputs)
        [found] = ecr.describe_repositories(repositoryNames=[id])["repositories"]
        encryption = found.get("encryptionConfiguration")
        return {
            "name": found["repositoryName"],
            "arn": found["repositoryArn"],
            "registryId": found["registryId"],
            "repositoryUrl": found["repositoryUri"],
            "region": self.region(aws, inputs),
            "imageTagMutability": found["imageTagMutability"],
            "imageScanningConfiguration": found.get("imageScanningConfiguration", UNSCANNED),
            **given(encryptionConfigurations=[encryption] if encryption else None),
            **present(
                tags=from_pairs(ecr.list_tags_for_resource(resourceArn=found["repositoryArn"]).get("tags")),
                imageTagMutabilityExclusionFilters=found.get(FILTERS),
            ),
        }

    def update(self, aws: Aws, id: str, old: Props, new: Props, changed: set[str]) -> None:
        ecr = self.client(aws, new)
        if changed & {"imageTagMutability", FILTERS}:
            ecr.put_image_tag_mutability(
                repositoryName=id,
                imageTagMutability=new.get("imageTagMutability", "MUTABLE"),
                **given(imageTagMutabilityExclusionFilters=new.get(FILTERS)),
            )
        if "imageScanningConfiguration" in changed:
            ecr.put_image_scanning_configuration(
                repositoryName=id, imageScanningConfiguration=new.get("imageScanningConfiguration", UNSCANNED)
            )
        if "tags" in changed:
            arn = _arn(ecr, id)
            change_tags(
                old,
                new,
                tag=lambda tags: ecr.tag_resource(resourceArn=arn, tags=to_pairs(tags)),
                untag=lambda keys: ecr.untag_resource(resourceArn=arn, tagKeys=keys),
            )

    @missing("RepositoryNotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_repository(repositoryName=id, force=bool(state.get("forceDelete")))


class LifecyclePolicy(ServiceHandler):
    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    outputs = ("registryId",)
    fields: ClassVar[Mapping[str, Field]] = {
        **REGION,
        "policy": Field(kind="json", replace=True),
        "repository": Field(replace=True),
    }
    # A repository has one policy: deleting the old one last would delete the new one.
    delete_before_replace = True

    def check(self, inputs: Props) -> Problems:
        return json_text(inputs, "policy")

    def create(self, aws: Aws, inputs: Props) -> str:
        self.client(aws, inputs).put_lifecycle_policy(
            repositoryName=inputs["repository"], lifecyclePolicyText=inputs["policy"]
        )
        return str(inputs["repository"])

    @missing("LifecyclePolicyNotFoundException", "RepositoryNotFoundException")
    def read(self, aws: Aws, id: str, inputs: Props) -> Props | None:
        found = self.client(aws, inputs).get_lifecycle_policy(repositoryName=id)
        return {
            "repository": found["repositoryName"],
            "registryId": found["registryId"],
            "region": self.region(aws, inputs),
            "policy": document(found["lifecyclePolicyText"], inputs.get("policy")),
        }

    @missing("LifecyclePolicyNotFoundException", "RepositoryNotFoundException")
    def delete(self, aws: Aws, id: str, state: Props) -> None:
        self.client(aws, state).delete_lifecycle_policy(repositoryName=id)


def get_image(aws: Aws, args: Props) -> Props:
    """Look up an image by tag or digest, or the one that was pushed last.

    Raises:
        ClientError: there is none; the code is the official provider's, ImageNotFoundException.
    """
    identifier = given(imageDigest=args.get("imageDigest"), imageTag=args.get("imageTag"))
    if not identifier and not args.get("mostRecent"):
        raise ValueError("getImage: give one of imageDigest, imageTag and mostRecent")
    ecr = aws.client("ecr")
    registry = given(registryId=args.get("registryId"))
    wanted = {"imageIds": [identifier]} if identifier else {}
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=args["repositoryName"], **registry, **wanted)
    found = [each for page in pages for each in page["imageDetails"]]
    if not found:
        raise ValueError("getImage: your query returned no results")
    image = max(found, key=lambda each: each["imagePushedAt"])
    [repository] = ecr.describe_repositories(repositoryNames=[args["repositoryName"]], **registry)["repositories"]
    return {
        **args,
        "id": image["imageDigest"],
        "imageDigest": image["imageDigest"],
        "imagePushedAt": int(image["imagePushedAt"].timestamp()),
        "imageSizeInBytes": image.get("imageSizeInBytes", 0),
        "imageTags": image.get("imageTags", []),
        "imageUri": f"{repository['repositoryUri']}@{image['imageDigest']}",
        "region": aws.region,
        "registryId": image["registryId"],
        "repositoryName": image["repositoryName"],
    }


def _arn(ecr: Any, name: str) -> str:
    return ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]


HANDLERS: list[Handler] = [Repository(), LifecyclePolicy()]
INVOKES: dict[str, Callable[[Aws, Props], Props]] = {"aws:ecr/getImage:getImage": get_image}
