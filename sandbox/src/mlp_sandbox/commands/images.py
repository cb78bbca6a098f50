"""`mlp sandbox images`: list the images that clusters of the sandbox can run, and add or remove images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from mlp.console import Json, console, plain_errors, report
from mlp_sandbox.clusters.images import CATALOGUE, added_images, build_dockerfile, find_images, pull_image, remove_image

app = typer.Typer(no_args_is_help=True, help="Images that clusters of the sandbox can run. All sandboxes share them.")

Reference = Annotated[str, typer.Argument(help="[host/]path[:tag], as in a pod: without a host it is Docker Hub's.")]


@app.command("list")
def list_images(as_json: Json = False) -> None:
    """List the images of the catalogue, whether each of them is present, and the images that were added.

    `mlp setup` makes the images of the catalogue.
    """
    with plain_errors():
        rows = [*_catalogue(), *_added()]
        if as_json:
            print(json.dumps(rows, indent=2))
            return
        table = Table(Column("Image", overflow="fold"), "Kind", "There", Column("From", overflow="fold"))
        for row in rows:
            table.add_row(str(row["reference"]), str(row["kind"]), "yes" if row["digest"] else "no", str(row["from"]))
        console.print(table)
        if any(row["digest"] is None for row in rows):
            console.print("What is not there is made by `mlp setup`, as root.")


@app.command()
def build(
    context: Annotated[Path, typer.Argument(help="The folder that the Dockerfile copies from.")],
    tag: Annotated[str, typer.Option("--tag", "-t", help="The reference that pods name, such as my-team/model:1.")],
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The Dockerfile (default: the one in CONTEXT).")
    ] = None,
) -> None:
    """Build an unmodified Dockerfile, as root; pods can name the image at once.

    Images of the catalogue, and images that were built or pulled before, serve as base images offline. Other base
    images are pulled.
    """
    with plain_errors():
        digest = build_dockerfile(context, tag, report, file)
        console.print(f"Pods can name {tag} ({digest}).", highlight=False, soft_wrap=True)


@app.command()
def pull(reference: Reference) -> None:
    """Pull an image from its registry, as root, with the credentials that `docker login` or `buildah login` left.

    Missing images of pods are pulled without this command. Only this command pulls an image again that is already
    present.
    """
    with plain_errors():
        digest = pull_image(reference, report)
        console.print(f"Pods can name {reference} ({digest}).", highlight=False, soft_wrap=True)


@app.command()
def remove(reference: Reference) -> None:
    """Remove an image that was built or pulled. Nodes that already have it keep it until they are removed."""
    with plain_errors():
        console.print(f"{remove_image(reference, report)} is removed.", highlight=False, soft_wrap=True)


def _catalogue() -> list[dict[str, str | None]]:
    digests = find_images()
    return [
        {"reference": reference, "kind": image.kind, "digest": digests[image.name], "from": image.made_from}
        for image in CATALOGUE
        for reference in image.references
    ]


def _added() -> list[dict[str, str | None]]:
    return [
        {
            "reference": image.reference,
            "kind": f"added, {image.how}",
            "digest": image.digest,
            "from": image.source,
            "added": image.added,
        }
        for image in added_images()
    ]
