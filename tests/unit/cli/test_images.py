"""Which images an environment wants, by what they are made of, and how they get to ECR."""

from __future__ import annotations

import base64
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from cli.app import make_app
from cli.image_engine import Engine, find_engine, is_pushed, registry_password
from cli.image_list import WantedImage, registry_host, wanted_images
from cli.plain import PlainError
from cli.projects.environment import find_environment
from components.images import ImageSource

ACCOUNT = "123456789012"


def source(root: Path, **files: str) -> ImageSource:
    (root / "app").mkdir(parents=True, exist_ok=True)
    (root / "Dockerfile").write_text("FROM scratch\n")
    for name, text in files.items():
        (root / "app" / name).write_text(text)
    return ImageSource(
        dockerfile=PurePosixPath("Dockerfile"), paths=(PurePosixPath("app"),), left_out=frozenset({"notes"})
    )


def image(tag: str = "0123456789abcdef", repository: str = "ml-platform-dev/mlflow") -> WantedImage:
    made = ImageSource(dockerfile=PurePosixPath("Dockerfile"), paths=())
    return WantedImage(registry=registry_host(ACCOUNT, "us-east-1"), repository=repository, tag=tag, source=made)


def test_the_same_sources_have_the_same_tag_wherever_they_lie(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert source(one, main="x").tag(one) == source(two, main="x").tag(two)


@pytest.mark.parametrize("change", [{"main": "y"}, {"main": "x", "more": ""}, {"renamed": "x"}])
def test_another_content_or_name_is_another_tag(change: dict[str, str], tmp_path: Path):
    before, after = tmp_path / "before", tmp_path / "after"
    assert source(before, main="x").tag(before) != source(after, **change).tag(after)


def test_what_is_left_out_hidden_or_compiled_changes_nothing(tmp_path: Path):
    made = source(tmp_path, main="x")
    tag = made.tag(tmp_path)
    source(tmp_path, notes="n", **{".hidden": "h"})
    (tmp_path / "app" / "__pycache__").mkdir()
    (tmp_path / "app" / "__pycache__" / "main.cpython-311.pyc").write_bytes(b"0")
    assert made.tag(tmp_path) == tag


def test_a_build_sees_what_the_tag_covers_and_nothing_else(tmp_path: Path):
    made = source(tmp_path / "root", main="x", notes="n")
    (tmp_path / "root" / "secret").write_text("s")
    made.stage(tmp_path / "root", tmp_path / "staged")
    staged = {
        path.relative_to(tmp_path / "staged").as_posix() for path in (tmp_path / "staged").rglob("*") if path.is_file()
    }
    assert staged == {"Dockerfile", "app/main"}


def test_a_path_that_is_not_there_is_named(tmp_path: Path):
    made = ImageSource(dockerfile=PurePosixPath("Dockerfile"), paths=(PurePosixPath("gone"),))
    with pytest.raises(ValueError, match="image of Dockerfile: there is no gone"):
        made.tag(tmp_path)


def test_an_environment_wants_mlflow_and_its_projects():
    wanted = wanted_images(find_environment("dev"), ACCOUNT)
    names = [each.reference.rpartition(":")[0] for each in wanted]
    host = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert names == [f"{host}/ml-platform-dev/mlflow", f"{host}/ml-platform-dev/projects/tumour-diagnosis"]
    assert len(wanted_images(find_environment("prod"), ACCOUNT)) == 1


def test_china_has_a_domain_of_its_own():
    assert registry_host(ACCOUNT, "cn-north-1") == f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn"


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield boto3.client("ecr", region_name="us-east-1")


def test_what_ecr_has_is_not_pushed_again(ecr: Any):
    ecr.create_repository(repositoryName="ml-platform-dev/mlflow")
    assert not is_pushed(ecr, image())
    manifest = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "config": {}}'
    ecr.put_image(repositoryName="ml-platform-dev/mlflow", imageManifest=manifest, imageTag=image().tag)
    assert is_pushed(ecr, image())


def test_a_repository_that_is_missing_says_what_makes_it(ecr: Any):
    with pytest.raises(PlainError, match="no repository ml-platform-dev/mlflow yet; make the repositories first"):
        is_pushed(ecr, image())


def test_the_registrys_password_is_what_follows_the_user(ecr: Any):
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert registry_password(ecr) == base64.b64decode(token).decode().partition(":")[2]


def test_the_password_is_no_argument_of_a_process(tmp_path: Path):
    program, seen = tmp_path / "docker", tmp_path / "seen"
    program.write_text(f'#!/bin/sh\necho "$@" > {seen}\ncat > {seen}.input\n')
    program.chmod(0o755)
    Engine(program=str(program)).sign_in("registry", "hidden")
    assert seen.read_text() == "login --username AWS --password-stdin registry\n"
    assert (tmp_path / "seen.input").read_text() == "hidden"


def test_an_engine_that_fails_is_named(tmp_path: Path):
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(PlainError, match="`docker push` ended with exit code 3"):
        Engine(program=str(program)).push(image())


def test_without_an_engine_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlainError, match="no docker or podman on PATH"):
        find_engine()


def test_the_local_account_has_nothing_to_push_to(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLP_SANDBOX", "default")
    done = CliRunner().invoke(make_app(), ["images", "push"])
    assert done.exit_code == 1
    assert "nothing to push" in done.stderr
