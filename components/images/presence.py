"""Check that an image built here exists in ECR, before any resource that runs it is created or changed.

A preview warns, because the preview of a pull request comes before the push. A deployment fails with the same message;
otherwise pods would wait for the image until the deployment times out. Objects that a deployment excludes (`--exclude`,
`--target`) are not checked.
https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import pulumi

GET_IMAGE: Final = "aws:ecr/getImage:getImage"
# Provider errors for a missing image or repository. With any other error the result is unknown.
_NOT_THERE: Final = (
    *("ImageNotFoundException", "RepositoryNotFoundException"),
    *("couldn't find resource", "returned no results", "empty result"),
)


class ImageMissingError(Exception):
    """Error: a resource runs an image that nobody has pushed."""


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """Image of this repository. `repository` is its full name in ECR, including the environment's prefix."""

    environment: str
    repository: str
    tag: str

    @property
    def name(self) -> str:
        return f"{self.repository}:{self.tag}"

    @property
    def missing(self) -> str:
        return f"image {self.name} is not in ECR: run `mlp images push --env {self.environment}` first"


@dataclass(frozen=True)
class Answer:
    """Result of the check. If the state is unknown, `text` contains the error."""

    state: Literal["there", "missing", "unknown"]
    text: str = ""


def image_hooks(image: BuiltImage, parent: pulumi.Resource) -> pulumi.ResourceHookBinding:
    """Return hooks for all resources that run the image; they share one ECR query.

    `parent` supplies the AWS provider for the query, and Pulumi shows warnings at this resource.
    """
    check = _Check(image, parent)
    hook = pulumi.ResourceHook(f"{image.name} is in ECR", check.before, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])


class _Check:
    def __init__(self, image: BuiltImage, parent: pulumi.Resource) -> None:
        self._image, self._parent = image, parent
        self._answer: asyncio.Task[Answer] | None = None

    async def before(self, args: pulumi.ResourceHookArgs) -> None:
        """Raise ImageMissingError in a deployment whose image is missing."""
        if args.old_inputs is not None and await images(args.old_inputs) == await images(args.new_inputs):
            return
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        answer = await self._answer
        if answer.state == "missing" and not pulumi.runtime.is_dry_run():
            raise ImageMissingError(self._image.missing)

    async def _ask(self) -> Answer:
        """Query ECR and log a warning at most once."""
        image = self._image
        answer = await ask(image, self._parent)
        if answer.state == "missing" and pulumi.runtime.is_dry_run():
            pulumi.log.warn(image.missing, self._parent)
        elif answer.state == "unknown":
            pulumi.log.warn(f"cannot tell whether image {image.name} is in ECR: {answer.text}", self._parent)
        return answer


async def ask(image: BuiltImage, parent: pulumi.Resource) -> Answer:
    """Query ECR for an image with the AWS provider of a resource."""
    wanted = {"repositoryName": image.repository, "imageTag": image.tag}
    try:
        found = await pulumi.runtime.invoke_async(GET_IMAGE, wanted, pulumi.InvokeOptions(parent=parent))
    except Exception as error:  # the SDK raises no narrower type
        text = str(error)
        return Answer("missing") if any(words in text for words in _NOT_THERE) else Answer("unknown", text)
    return Answer("there") if found else Answer("unknown", "the account is not known yet")


async def images(inputs: Any) -> frozenset[str]:
    """Return the images of all containers in the inputs of a Kubernetes object, except unknown outputs."""
    return frozenset(_images(await pulumi.Output.from_input(inputs).future(with_unknowns=True)))


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in cast("Mapping[str, Any]", value).items():
            if name in ("containers", "initContainers") and isinstance(each, list):
                containers = cast("list[Any]", each)
                yield from (container["image"] for container in containers if isinstance(container.get("image"), str))
            yield from _images(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _images(each)
