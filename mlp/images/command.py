"""`mlp images`: commands for the images of an environment that are built from this repository.

Tags are digests of the sources, so a second build or push has no effect.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.table import Column, Table

from mlp.console import Json, PlainError, console, plain_errors, report
from mlp.environments import ROOT, Env
from mlp.extensions import Builder, selected_account
from mlp.images.engine import find_engine, is_pushed, registry_password
from mlp.images.listing import WantedImage, wanted_images
from mlp.projects.environment import find_environment

app = typer.Typer(no_args_is_help=True, help="Images of this repository (MLflow's, the projects') and others' digests.")


@app.command("list")
def list_images(env: Env = "dev", as_json: Json = False) -> None:
    """List the images of an environment, with the references that its pods use."""
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
    """Build the missing images: for the local account into its store, otherwise with Docker or Podman.

    A build sees only the files that its tag covers.
    """
    with plain_errors():
        images, _ = _wanted(env)
        missing = _build(images, _builder())
        console.print(f"{missing} built, {len(images) - missing} were there.")


@app.command()
def push(env: Env = "dev") -> None:
    """Build the missing images and push them to ECR with the AWS credentials. Deploy after that.

    The local account's ECR contains the images built for it, so there the command equals `mlp images build`.
    """
    with plain_errors():
        from mlp.projects.aws_access import plain_aws_errors

        images, client = _wanted(env)
        account = selected_account()
        if account:
            missing = _build(images, account.image_builder(report))
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
    """Write the current digests of third-party images into platform_services/images.txt and the FROM lines.

    Needs access to the registries; the EKS registry requires AWS credentials. Images that cannot be read keep their
    digests. Commit the changes and deploy: nodes then run exactly these images. Run it again to update the digests.
    Exit codes: 0 all digests are written, 1 some could not be read.
    """
    with plain_errors():
        from mlp.images.pins import pin as pin_images
        from mlp.images.registry import read_digest

        done = pin_images(ROOT, read_digest)
        for reference, digest in done.digests.items():
            console.print(f"{reference} {digest}", highlight=False, markup=False, soft_wrap=True)
        written = ", ".join(map(str, done.changed)) or "nothing"
        console.print(f"Changed: {written}.", highlight=False, markup=False, soft_wrap=True)
        if done.problems:
            raise PlainError("not read: " + "; ".join(done.problems.values()))


def _wanted(env: str) -> tuple[tuple[WantedImage, ...], Any]:
    from mlp.projects.aws_access import AwsAccess

    environment = find_environment(env)
    aws = AwsAccess(environment)
    return wanted_images(environment, aws.account), aws.client("ecr")


def _builder() -> Builder:
    account = selected_account()
    return account.image_builder(report) if account else find_engine()


def _build(images: Sequence[WantedImage], builder: Builder) -> int:
    """Build the missing images and return their number."""
    missing = [image for image in images if not builder.has(image.reference)]
    for image in missing:
        with tempfile.TemporaryDirectory() as folder:
            context = Path(folder) / "context"
            image.source.stage(ROOT, context)
            builder.build(image.reference, context / image.source.dockerfile, context)
    return len(missing)
