"""`mlp images`: what an environment runs that is built from this repository.

Tags are digests of the sources, so building and pushing twice is doing it once.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import typer
from rich.table import Column, Table

from cli.image_engine import find_engine, is_pushed, registry_password
from cli.image_list import WantedImage, wanted_images
from cli.plain import Json, PlainError, console, plain_errors, report
from cli.projects.environment import ROOT, find_environment
from cli.projects.session import Env

app = typer.Typer(no_args_is_help=True, help="Images of this repository (MLflow's, the projects') and others' digests.")


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="images")


@app.command("list")
def list_images(env: Env = "dev", as_json: Json = False) -> None:
    """The images that an environment runs, as its pods name them."""
    with plain_errors():
        images, _ = _wanted(env)
        if as_json:
            rows = [{"reference": each.reference, "dockerfile": str(each.source.dockerfile)} for each in images]
            print(json.dumps(rows, indent=2))
            return
        table = Table(Column("Image", overflow="fold"), "Dockerfile")
        for each in images:
            table.add_row(each.reference, str(each.source.dockerfile))
        console.print(table)


@app.command()
def build(env: Env = "dev") -> None:
    """Build what is not there yet: for the local account into its store, else with Docker or Podman.

    A build sees only the files that its tag is made from.
    """
    with plain_errors():
        images, _ = _wanted(env)
        missing = _build(images, _local_builder() if _is_local() else find_engine())
        console.print(f"{missing} built, {len(images) - missing} were there.")


@app.command()
def push(env: Env = "dev") -> None:
    """Build and push to ECR what is not there yet, as whom the AWS credentials say. Deploy after that.

    ECR of the local account has what was built for it: there this is the same as `mlp images build`.
    """
    with plain_errors():
        from cli.projects.aws_access import plain_aws_errors

        images, client = _wanted(env)
        if _is_local():
            missing = _build(images, _local_builder())
            console.print(f"{missing} built, {len(images) - missing} were there: the local ECR has all of them.")
            return
        with plain_aws_errors(find_environment(env)):
            missing = [image for image in images if not is_pushed(client, image, env)]
            if not missing:
                console.print(f"All {len(images)} images of {env} are in ECR.")
                return
            engine = find_engine()
            engine.sign_in(missing[0].registry, registry_password(client))
        _build(missing, engine)
        for image in missing:
            engine.push(image)
        console.print(f"Pushed {len(missing)} of {len(images)} images of {env}.")


@app.command()
def pin() -> None:
    """Write the digests that others' images have now into platform_services/images.txt and the FROM lines.

    Needs a way to the registries; EKS's own wants AWS credentials. Images that cannot be read keep their digests.
    Commit what changed, and deploy: nodes then run exactly these. Run it again to renew. Exit codes: 0 all are
    written, 1 some could not be read.
    """
    with plain_errors():
        from cli.image_pins import pin as pin_images
        from cli.registry_digest import read_digest

        done = pin_images(ROOT, read_digest)
        for reference, digest in done.digests.items():
            console.print(f"{reference} {digest}", highlight=False, markup=False, soft_wrap=True)
        written = ", ".join(map(str, done.changed)) or "nothing"
        console.print(f"Changed: {written}.", highlight=False, markup=False, soft_wrap=True)
        if done.problems:
            raise PlainError("not read: " + "; ".join(done.problems.values()))


def _is_local() -> bool:
    """Whether this shell works on the local account; `mlp sandbox env` says so."""
    return "MLP_SANDBOX" in os.environ


def _wanted(env: str) -> tuple[tuple[WantedImage, ...], Any]:
    from cli.projects.aws_access import AwsAccess

    environment = find_environment(env)
    aws = AwsAccess(environment)
    return wanted_images(environment, aws.account), aws.client("ecr")


class Builder(Protocol):
    """What makes images, and where they are then."""

    def has(self, image: WantedImage) -> bool: ...

    def build(self, image: WantedImage, context: Path) -> None: ...


class LocalBuilder:
    """For clusters of the local account, which take images from its store."""

    def __init__(self, there: frozenset[str]) -> None:
        self._there = there

    def has(self, image: WantedImage) -> bool:
        return image.reference in self._there

    def build(self, image: WantedImage, context: Path) -> None:
        from sandbox.cluster.images import build_dockerfile

        build_dockerfile(context, image.reference, report, context / image.source.dockerfile)


def _local_builder() -> LocalBuilder:
    from sandbox.cluster.images import added_images

    return LocalBuilder(frozenset(image.reference for image in added_images()))


def _build(images: Sequence[WantedImage], builder: Builder) -> int:
    """Build those that are not there; return how many."""
    missing = [image for image in images if not builder.has(image)]
    for image in missing:
        with tempfile.TemporaryDirectory() as folder:
            context = Path(folder) / "context"
            image.source.stage(ROOT, context)
            builder.build(image, context)
    return len(missing)
