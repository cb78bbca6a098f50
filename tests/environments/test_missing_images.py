"""Images that nobody has pushed, with the real engine: previews warn, and deployments fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.testing.box import Box, MakeBox, Program, new_program

REPOSITORY = "team/churn"
SAID = f"image {REPOSITORY}:a1 is not in ECR: run `mlp images push --env dev` first"
RUNS = "aws:sns/topic:Topic"
# Any resource does in the place of a Deployment: the hook reads containers out of its inputs, and a topic has none.
SOURCE = f"""
    import sys
    sys.path.insert(0, {str(PROJECT)!r})
    from components.images.presence import BuiltImage, image_hooks

    repository = aws.ecr.Repository("images", name="{REPOSITORY}", opts=options)
    image = BuiltImage(environment="dev", repository="{REPOSITORY}", tag="a1")
    hooks = image_hooks(image, repository)
    for name in ("one", "two"):
        own = pulumi.ResourceOptions(depends_on=[repository], hooks=hooks)
        aws.sns.Topic(name, opts=pulumi.ResourceOptions.merge(options, own))
    """


@pytest.fixture(scope="module")
def images_box(make_box: MakeBox) -> Iterator[Box]:
    """Start a sandbox whose nodes would run containers; otherwise every tag counts as pushed."""
    made = make_box("images", "real")
    yield made
    lifecycle.down(made.instance)


@pytest.fixture
def churn(images_box: Box, tmp_path: Path) -> Iterator[Program]:
    made = new_program(images_box, tmp_path / tmp_path.name[-20:])
    made.write(SOURCE)
    yield made
    images_box.client("ecr").delete_repository(repositoryName=REPOSITORY, force=True)


def push(box: Box, tag: str) -> None:
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": {"digest": f"sha256:{tag}"}, "layers": []}
    box.client("ecr").put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)


def diagnostics(said: str) -> str:
    """Return the final report: without a terminal the engine prints everything as it happens, and again at the end."""
    return said.partition("Diagnostics:")[2]


def test_a_missing_image_is_said_by_preview_and_ends_up_until_it_is_pushed(churn: Program) -> None:
    first = churn.preview()
    assert diagnostics(first).count(f"warning: {SAID}") == 1, first
    assert "5 to create" in first
    failed = diagnostics(churn.up(ok=False))
    assert SAID in failed
    assert "Traceback" not in failed
    assert churn.resources(RUNS) == []
    push(churn.box, "a1")
    assert "is not in ECR" not in churn.up()
    assert len(churn.resources(RUNS)) == 2


def test_what_a_deployment_leaves_out_is_not_asked_about(churn: Program) -> None:
    said = churn.pulumi("up", "--yes", "--skip-preview", "--exclude", f"**{RUNS}::*")
    assert "is not in ECR" not in said
    assert churn.resources(RUNS) == []
    assert len(churn.resources("aws:ecr/repository:Repository")) == 1
