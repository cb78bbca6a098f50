"""Lookups of images in ECR: timing, number and messages.

The engine's part is in tests/environments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.images import presence
from components.images.presence import Answer, BuiltImage, ImageMissingError, images

IMAGE = BuiltImage(environment="dev", repository="ml-platform-dev/projects/churn", tag="a1")
SAID = "image ml-platform-dev/projects/churn:a1 is not in ECR: run `mlp images push --env dev` first"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def pod(tag: str, **more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", "image": f"{REGISTRY}/churn:{tag}", **more}]}


def deployment(tag: str, **more: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "spec": {"template": {"spec": pod(tag, **more)}}}


def cron_job(tag: str) -> dict[str, Any]:
    return {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod(tag)}}}}}


class Ecr:
    """ECR stub that gives the answers of a test; it records requests and messages to the user."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: str = "", dry: bool = False) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.told: list[str] = []
        self.error = error
        monkeypatch.setattr(pulumi.runtime, "invoke_async", self._invoke)
        monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: dry)
        monkeypatch.setattr(pulumi.log, "warn", lambda text, _resource: self.told.append(text))

    async def _invoke(self, token: str, args: dict[str, str], _options: pulumi.InvokeOptions) -> dict[str, str]:
        self.asked.append((token, args))
        await asyncio.sleep(0)
        if self.error:
            raise Exception(f"invoke of {token} failed: {self.error}")  # noqa: TRY002 - as the SDK raises it
        return {"imageDigest": "sha256:0"}


MakeEcr = Callable[..., Ecr]


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> MakeEcr:
    return lambda error="", dry=False: Ecr(monkeypatch, error, dry)


def run(*steps: tuple[dict[str, Any] | None, dict[str, Any]], image: BuiltImage = IMAGE) -> list[str]:
    """Run the hook at once for objects with inputs before and after; returns the raised errors."""

    async def all_at_once() -> list[Any]:
        check = presence._Check(image, None)  # type: ignore[arg-type] # pyright: ignore
        args = [
            pulumi.ResourceHookArgs("urn", "id", "name", "type", new_inputs=new, old_inputs=old) for old, new in steps
        ]
        return await asyncio.gather(*(check.before(each) for each in args), return_exceptions=True)

    found = asyncio.run(all_at_once())
    assert all(each is None or isinstance(each, ImageMissingError) for each in found), found
    return [str(each) for each in found if each is not None]


MISSING = [
    "1 error occurred: reading ECR Images: operation error ECR: DescribeImages, ImageNotFoundException: The image ...",
    "call aws:ecr/getImage:getImage: DescribeImages: RepositoryNotFoundException: The repository with name ...",
    "reading ECR Images: couldn't find resource",
    "Your query returned no results. Please change your search criteria and try again.",
]


@pytest.mark.parametrize("error", MISSING)
def test_a_deployment_of_a_missing_image_ends_with_the_command(ecr: MakeEcr, error: str):
    asked = ecr(error)
    assert run((None, deployment("a1"))) == [SAID]
    assert asked.told == []


@pytest.mark.parametrize("error", MISSING)
def test_a_preview_of_a_missing_image_warns_once_and_goes_on(ecr: MakeEcr, error: str):
    asked = ecr(error, dry=True)
    assert run((None, deployment("a1")), (None, cron_job("a1"))) == []
    assert asked.told == [SAID]


def test_all_that_run_an_image_end_and_ecr_is_asked_once(ecr: MakeEcr):
    asked = ecr(MISSING[0])
    assert run((None, deployment("a1")), (None, cron_job("a1"))) == [SAID, SAID]
    wanted = {"repositoryName": "ml-platform-dev/projects/churn", "imageTag": "a1"}
    assert asked.asked == [("aws:ecr/getImage:getImage", wanted)]


@pytest.mark.parametrize("dry", [True, False])
def test_an_image_that_is_there_is_nothing_to_speak_of(ecr: MakeEcr, dry: bool):
    asked = ecr(dry=dry)
    assert run((None, deployment("a1")), (deployment("a0"), deployment("a1"))) == []
    assert (asked.told, len(asked.asked)) == ([], 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (deployment("a1"), deployment("a1", resources={"limits": {"memory": "1Gi"}})),
        (deployment("a1"), deployment("a1", env=[{"name": "image", "value": "other"}])),
        (cron_job("a1"), {**cron_job("a1"), "metadata": {"labels": {"team": "other"}}}),
    ],
)
def test_a_change_of_something_else_asks_nobody(ecr: MakeEcr, old: dict[str, Any], new: dict[str, Any]):
    asked = ecr(MISSING[0])
    assert run((old, new)) == []
    assert asked.asked == []


@pytest.mark.parametrize("make", [deployment, cron_job])
def test_another_image_is_asked_for(ecr: MakeEcr, make: Callable[[str], dict[str, Any]]):
    ecr(MISSING[0])
    assert run((make("a0"), make("a1"))) == [SAID]


@pytest.mark.parametrize("dry", [True, False])
@pytest.mark.parametrize("error", ["AccessDeniedException: not authorized to perform: ecr:DescribeImages", "timeout"])
def test_where_ecr_cannot_be_asked_the_deployment_goes_on_with_a_warning(ecr: MakeEcr, error: str, dry: bool):
    asked = ecr(error, dry=dry)
    assert run((None, deployment("a1")), (None, cron_job("a1"))) == []
    [told] = asked.told
    assert "cannot tell whether image ml-platform-dev/projects/churn:a1 is in ECR" in told
    assert error in told


def test_images_are_read_out_of_secret_and_unknown_inputs():
    async def found() -> frozenset[str]:
        spec = {"template": {"spec": {**pod("a1"), "initContainers": [{"name": "first", "image": "busybox"}]}}}
        return await images({"spec": pulumi.Output.secret(spec), "status": None})

    assert asyncio.run(found()) == {f"{REGISTRY}/churn:a1", "busybox"}


def test_an_answer_without_content_is_none(monkeypatch: pytest.MonkeyPatch):
    async def unknown(*_args: Any) -> None:
        return None

    monkeypatch.setattr(pulumi.runtime, "invoke_async", unknown)
    answer = asyncio.run(presence.ask(IMAGE, None))  # type: ignore[arg-type] # pyright: ignore
    assert answer == Answer("unknown", "the account is not known yet")
