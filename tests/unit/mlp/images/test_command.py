"""An environment's images: their selection by content, and their push to ECR."""

from __future__ import annotations

import base64
from pathlib import Path, PurePosixPath
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from components.checkout import SourceError
from components.images.sources import ImageSource
from mlp.app import make_app
from mlp.console import PlainError
from mlp.images.command import _wanted
from mlp.images.engine import Engine, find_engine, is_pushed, registry_password
from mlp.images.listing import WantedImage, registry_host, wanted_images
from mlp.projects.aws_access import AwsAccess
from mlp.projects.environment import find_environment
from tests.unit.mlp.local_account import LOCAL, LocalAccount

ACCOUNT = "123456789012"


def image(tag: str = "0123456789abcdef", repository: str = "ml-platform-dev/mlflow") -> WantedImage:
    made = ImageSource(dockerfile=PurePosixPath("Dockerfile"), paths=())
    return WantedImage(registry=registry_host(ACCOUNT, "us-east-1"), repository=repository, tag=tag, source=made)


def test_an_environment_wants_mlflow_the_runtime_and_its_projects():
    wanted = wanted_images(find_environment("dev"), ACCOUNT)
    names = [each.reference.rpartition(":")[0] for each in wanted]
    host = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert names == [f"{host}/ml-platform-dev/{name}" for name in ("mlflow", "runtime", "projects/tumour-diagnosis")]
    assert [each.repository for each in wanted_images(find_environment("prod"), ACCOUNT)] == [
        "ml-platform-prod/mlflow",
        "ml-platform-prod/runtime",
    ]


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
    assert not is_pushed(ecr, image(), "dev")
    manifest = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "config": {}}'
    ecr.put_image(repositoryName="ml-platform-dev/mlflow", imageManifest=manifest, imageTag=image().tag)
    assert is_pushed(ecr, image(), "dev")


def test_a_repository_that_is_missing_says_what_makes_it(ecr: Any):
    with pytest.raises(
        PlainError, match=r"no repository ml-platform-dev/mlflow yet; .* `pulumi up --stack dev --exclude"
    ):
        is_pushed(ecr, image(), "dev")


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


def test_pushing_to_a_local_account_is_building_for_it(monkeypatch: pytest.MonkeyPatch, local_account: LocalAccount):
    wanted, builders = wanted_images(find_environment("dev"), ACCOUNT), local_account.builders
    monkeypatch.setenv(LOCAL, "default")
    monkeypatch.setattr("mlp.images.command._wanted", lambda env: (wanted, None))
    first, second = (CliRunner().invoke(make_app(), ["images", "push"]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "3 built, 0 were there" in first.output
    assert "0 built, 3 were there" in second.output
    assert builders.built == [each.reference for each in wanted]
    assert builders.modes == {0o644, 0o755}


def test_in_a_local_account_images_are_looked_for_there_alone(monkeypatch: pytest.MonkeyPatch, foreign_addresses: str):
    monkeypatch.setattr(AwsAccess, "caller", f"arn:aws:iam::{ACCOUNT}:user/jo")
    images, client = _wanted("dev")
    assert client.meta.endpoint_url == foreign_addresses
    assert {each.registry for each in images} == {registry_host(ACCOUNT, "us-east-1")}


def test_sources_that_make_no_image_are_one_sentence(monkeypatch: pytest.MonkeyPatch):
    def fails(env: str) -> None:
        raise SourceError("image of Dockerfile: there is no gone")

    monkeypatch.setattr("mlp.images.command._wanted", fails)
    done = CliRunner().invoke(make_app(), ["images", "list"])
    assert (done.exit_code, done.stderr) == (1, "error: image of Dockerfile: there is no gone\n")
