"""Whether an image that is built here is in ECR, asked before anything that runs it is made or changed.

A preview warns: that of a pull request comes before the push. A deployment ends there with the same sentence, because
pods would otherwise wait for the image until the deployment's time is over. Objects that a deployment leaves out
(`--exclude`, `--target`) are not asked about.
https://www.pulumi.com/docs/iac/concepts/resources/options/hooks/
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi

GET_IMAGE: Final = "aws:ecr/getImage:getImage"
# What the provider says of an image, or of a whole repository, that is not there. All else means that it cannot tell.
_NOT_THERE: Final = (
    *("ImageNotFoundException", "RepositoryNotFoundException"),
    *("couldn't find resource", "returned no results", "empty result"),
)


class ImageMissingError(Exception):
    """An image is to be run that nobody has pushed."""


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image of this repository. `repository` is its whole name in ECR, with the environment's prefix."""

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
    """`text` is what ECR said where it could not be asked."""

    state: Literal["there", "missing", "unknown"]
    text: str = ""


def image_hooks(image: BuiltImage, parent: pulumi.Resource) -> pulumi.ResourceHookBinding:
    """Return hooks for all objects that run the image; ECR is asked once for all of them.

    `parent` has the provider that asks, and is what warnings are shown beside.
    """
    check = _Check(image, parent)
    hook = pulumi.ResourceHook(f"{image.name} is in ECR", check.before, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])


class _Check:
    def __init__(self, image: BuiltImage, parent: pulumi.Resource) -> None:
        self._image, self._parent = image, parent
        self._answer: asyncio.Task[Answer] | None = None

    async def before(self, args: pulumi.ResourceHookArgs) -> None:
        """Raise ImageMissingError in a deployment whose image is not there."""
        if args.old_inputs is not None and await images(args.old_inputs) == await images(args.new_inputs):
            return
        if self._answer is None:
            self._answer = asyncio.create_task(self._ask())
        answer = await self._answer
        if answer.state == "missing" and not pulumi.runtime.is_dry_run():
            raise ImageMissingError(self._image.missing)

    async def _ask(self) -> Answer:
        """Ask ECR, and say what matters once."""
        image = self._image
        answer = await ask(image, self._parent)
        if answer.state == "missing" and pulumi.runtime.is_dry_run():
            pulumi.log.warn(image.missing, self._parent)
        elif answer.state == "unknown":
            pulumi.log.warn(f"cannot tell whether image {image.name} is in ECR: {answer.text}", self._parent)
        return answer


async def ask(image: BuiltImage, parent: pulumi.Resource) -> Answer:
    """Ask ECR for an image, with the AWS provider of a resource."""
    wanted = {"repositoryName": image.repository, "imageTag": image.tag}
    try:
        found = await pulumi.runtime.invoke_async(GET_IMAGE, wanted, pulumi.InvokeOptions(parent=parent))
    except Exception as error:  # the SDK raises nothing narrower
        text = str(error)
        return Answer("missing") if any(words in text for words in _NOT_THERE) else Answer("unknown", text)
    return Answer("there") if found else Answer("unknown", "the account is not known yet")


async def images(inputs: Any) -> frozenset[str]:
    """Return the images of all containers in the inputs of a Kubernetes object, as far as they are known."""
    return frozenset(_images(await pulumi.Output.from_input(inputs).future(with_unknowns=True)))


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in ("containers", "initContainers") and isinstance(each, list):
                yield from (container["image"] for container in each if isinstance(container.get("image"), str))
            yield from _images(each)
    elif isinstance(value, list):
        for each in value:
            yield from _images(each)
