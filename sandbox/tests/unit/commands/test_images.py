"""`mlp sandbox images`: tables, documents for programs, and errors that name the fix."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlp.app import make_app
from mlp_sandbox.clusters.images import CATALOGUE, AddedImage, buildah
from mlp_sandbox.errors import SandboxError

images = importlib.import_module("mlp_sandbox.commands.images")
ADDED = AddedImage(
    reference="ghcr.io/team/app:1",
    how="pulled",
    source="ghcr.io",
    digest="sha256:aa",
    added="2026-01-01T00:00:00+00:00",
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), ["sandbox", "images", *arguments], env={"COLUMNS": "200"})


def test_every_image_of_the_catalogue_is_listed_with_whether_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        images,
        "find_images",
        lambda: {image.name: "sha256:bb" if image.name == "pause" else None for image in CATALOGUE},
    )
    monkeypatch.setattr(images, "added_images", lambda: [ADDED])
    rows: list[dict[str, Any]] = json.loads(run("list", "--json").output)
    assert {row["reference"] for row in rows} == {
        "ghcr.io/team/app:1",
        *(reference for image in CATALOGUE for reference in image.references),
    }
    assert [row["reference"] for row in rows if row["digest"]] == ["registry.k8s.io/pause:3.10", "ghcr.io/team/app:1"]
    assert rows[-1]["kind"] == "added, pulled"
    done = run("list")
    assert done.exit_code == 0
    assert "ghcr.io/team/app:1" in done.output
    assert "What is not there is made by `mlp setup`" in done.output


@pytest.mark.parametrize("command", [["pull", "team/app:1"], ["build", ".", "--tag", "team/app:1"]])
def test_without_buildah_or_root_it_says_what_is_missing(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").touch()
    (tmp_path / "setpriv").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(*command)
    assert done.exit_code == 1
    assert "error: buildah and unshare not on PATH, so no images are built; as root: mlp setup" in done.output
    monkeypatch.setattr(buildah.shutil, "which", lambda _name: "/usr/bin/found")
    monkeypatch.setattr(buildah.os, "geteuid", lambda: 1000)
    done = run(*command)
    assert done.exit_code == 1
    assert "as root" in done.output


def test_what_the_registry_says_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(text: str, report: Any) -> str:
        raise SandboxError(f"ghcr.io does not give {text}: manifest unknown")

    monkeypatch.setattr(images, "pull_image", pull)
    done = run("pull", "ghcr.io/team/app:1")
    assert done.exit_code == 1
    assert done.output == "error: ghcr.io does not give ghcr.io/team/app:1: manifest unknown\n"


def test_a_built_image_is_named_as_pods_name_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[object] = []

    def make(context: Path, reference: str, report: Any, dockerfile: Path | None) -> str:
        seen.extend((context, reference, dockerfile))
        report("step")
        return "sha256:cc"

    monkeypatch.setattr(images, "build_dockerfile", make)
    done = run("build", str(tmp_path), "-t", "team/app:1", "-f", str(tmp_path / "other"))
    assert done.exit_code == 0
    assert "step\nPods can name team/app:1 (sha256:cc).\n" in done.output
    assert seen == [tmp_path, "team/app:1", tmp_path / "other"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pull", "python:3.11-slim"], "is of the sandbox's catalogue"),
        (["pull", "Not/An Image"], "is not one: it is [host/]path[:tag]"),
        (["pull", "ghcr.io/team/app@sha256:00"], "has a digest; name a tag"),
        (["remove", "team/none:1"], "image docker.io/team/none:1 is not among those that were added; there is none"),
        (["build", "/nowhere", "--tag", "team/app:1"], "/nowhere/Dockerfile is not there"),
    ],
)
def test_a_wrong_reference_is_refused_with_what_to_write(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert words in done.output


def test_a_tag_is_required() -> None:
    assert run("build", ".").exit_code == 2
