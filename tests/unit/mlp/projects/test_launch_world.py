"""A launch's reads from AWS, and its uploads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import mlp
from components.images.sources import ImageSource
from ml_workloads.project import parse_project
from mlp.console import PlainError
from mlp.images.listing import WantedImage
from mlp.projects.environment import Environment, Place
from mlp.projects.launch_steps import State, Target
from mlp.projects.launch_world import World
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.mlp.local_account import LOCAL

ENVIRONMENT = Environment(
    name="dev", region="us-east-1", prefix="ml-platform-dev", cluster="ml-platform-dev-eks", teams=frozenset()
)
TARGET = Target(project="churn", environment="dev", served=True, pushed=True, key="projects/churn/rows.csv")


def world(**changes: Any) -> World:
    place = Place(project=parse_project(SOUND, "example"), environment=ENVIRONMENT)
    return World(place=place, target=replace(TARGET, **changes), confirmed=True)


@pytest.mark.parametrize("service", ["s3", "ecr", "secretsmanager"])
def test_in_a_local_account_no_service_has_an_address_of_its_own(
    monkeypatch: pytest.MonkeyPatch, service: str, foreign_addresses: str
):
    assert world().aws.client(service).meta.endpoint_url == foreign_addresses
    monkeypatch.delenv(LOCAL)
    assert world().aws.client(service).meta.endpoint_url == "http://foreign.invalid"


def test_nothing_else_in_the_command_line_makes_clients_of_aws():
    """The bootstrap of an account is exempt: it has no environment yet."""

    folder = Path(mlp.__file__).parent
    made = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if any(word in path.read_text() for word in ("boto3.client", "boto3.resource", "boto3.Session"))
    }
    assert made == {"projects/aws_access.py", "bootstrap/account.py"}


MLFLOW, CHURN, BASKET = (f"ml-platform-dev/{name}" for name in ("mlflow", "projects/churn", "projects/basket"))
MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "config": {}}'
TAG = "0123456789abcdef"


def wants(monkeypatch: pytest.MonkeyPatch, *repositories: str) -> None:
    made = ImageSource(dockerfile=PurePosixPath("Dockerfile"), paths=())
    images = tuple(WantedImage(registry="r", repository=each, tag=TAG, source=made) for each in repositories)
    monkeypatch.setattr("mlp.projects.launch_world.wanted_images", lambda *_: images)


@pytest.mark.usefixtures("account")
def test_repositories_and_images_of_all_that_the_environment_runs_are_looked_for(monkeypatch: pytest.MonkeyPatch):
    wants(monkeypatch, MLFLOW, CHURN, BASKET)
    ecr = world().aws.client("ecr")
    facts: list[tuple[bool | None, bool | None]] = []
    for repository in (MLFLOW, CHURN, BASKET):
        ecr.create_repository(repositoryName=repository)
        facts.append((world().look("repository", State()).repository, None))
    for repository in (CHURN, MLFLOW, BASKET):
        ecr.put_image(repositoryName=repository, imageManifest=MANIFEST, imageTag=TAG)
        facts.append((None, world().look("image", State()).image))
    assert facts == [(False, None), (False, None), (True, None), (None, False), (None, False), (None, True)]


PREFIX = "projects/churn/2024/"


@pytest.fixture
def lake(account: None) -> Any:
    s3 = world().aws.client("s3")
    s3.create_bucket(Bucket="lake")
    return s3


def has_data(key: str) -> bool | None:
    return world(key=key).look("data", State(bucket="lake")).data


def test_below_a_prefix_only_parts_of_a_table_are_data(lake: Any):
    for name in ("_SUCCESS", "part-0.crc", ".part-1.csv.crc"):
        lake.put_object(Bucket="lake", Key=PREFIX + name, Body=b"12345678")
        assert has_data(PREFIX) is False
    lake.put_object(Bucket="lake", Key=f"{PREFIX}month=1/PART-0.CSV", Body=b"a\n1\n")
    assert has_data(PREFIX) is True


def test_a_prefix_that_a_training_would_refuse_is_told_with_the_reason(lake: Any):
    lake.put_object(Bucket="lake", Key=f"{PREFIX}notes.txt", Body=b"notes")
    with pytest.raises(PlainError, match=r"1 of 1 objects are no parts of a table: notes\.txt"):
        has_data(PREFIX)


def test_a_large_file_is_uploaded_in_pieces_to_where_the_training_looks(lake: Any, tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_bytes(b"0123456789abcdef" * 2**20)
    for key in ("projects/churn/all.csv", PREFIX):
        assert has_data(key) is False
        world(key=key, upload=str(file)).do("data", State(bucket="lake"))
        assert has_data(key) is True
        stored = key + (file.name if key.endswith("/") else "")
        found = lake.head_object(Bucket="lake", Key=stored)
        assert found["ContentLength"] == file.stat().st_size
        # S3 writes the number of pieces behind the dash.
        assert found["ETag"].strip('"').endswith("-2")


def test_an_upload_that_s3_refuses_is_one_sentence(account: None, tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text("a\n1\n")
    with pytest.raises(PlainError, match=r"^PutObject failed with NoSuchBucket: "):
        world(upload=str(file)).do("data", State(bucket="gone"))
