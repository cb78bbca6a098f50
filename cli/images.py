"""`mlp images`: what an environment runs that is built from this repository.

Tags are digests of the sources, so building and pushing twice is doing it once.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import typer
from rich.table import Column, Table

from cli.image_engine import find_engine, is_pushed, registry_password
from cli.image_list import WantedImage, wanted_images
from cli.plain import Json, PlainError, console, plain_errors, report
from cli.projects.environment import ROOT, find_environment
from cli.projects.session import Env

app = typer.Typer(no_args_is_help=True, help="Images that are built from this repository: MLflow's and the projects'.")


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
        if _is_local():
            _build_local(images)
        else:
            engine = find_engine()
            for image in images:
                with tempfile.TemporaryDirectory() as folder:
                    image.source.stage(ROOT, Path(folder))
                    engine.build(image, Path(folder))


@app.command()
def push(env: Env = "dev") -> None:
    """Build and push to ECR what is not there yet, as whom the AWS credentials say. Deploy after that."""
    with plain_errors():
        if _is_local():
            raise PlainError("nodes of the local account take their images from `mlp images build`: nothing to push")
        images, client = _wanted(env)
        missing = [image for image in images if not is_pushed(client, image)]
        if not missing:
            console.print(f"All {len(images)} images of {env} are in ECR.")
            return
        engine = find_engine()
        engine.sign_in(missing[0].registry, registry_password(client))
        for image in missing:
            with tempfile.TemporaryDirectory() as folder:
                image.source.stage(ROOT, Path(folder))
                engine.build(image, Path(folder))
            engine.push(image)
        console.print(f"Pushed {len(missing)} of {len(images)} images of {env}.")


def _is_local() -> bool:
    """Whether this shell works on the local account; `mlp sandbox env` says so."""
    return "MLP_SANDBOX" in os.environ


def _wanted(env: str) -> tuple[tuple[WantedImage, ...], Any]:
    import boto3

    from cli.projects.aws_access import AwsAccess

    environment = find_environment(env)
    account = AwsAccess(environment).caller.split(":")[4]
    return wanted_images(environment, account), boto3.client("ecr", region_name=environment.region)


def _build_local(images: tuple[WantedImage, ...]) -> None:
    from sandbox.cluster.images import added_images, build_dockerfile

    there = {image.reference for image in added_images()}
    missing = [image for image in images if image.reference not in there]
    for image in missing:
        with tempfile.TemporaryDirectory() as folder:
            image.source.stage(ROOT, Path(folder))
            build_dockerfile(Path(folder), image.reference, report, Path(folder) / image.source.dockerfile)
    console.print(f"{len(missing)} built, {len(images) - len(missing)} were there.")
