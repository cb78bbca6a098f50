"""`mlp images pin`: digests come from a registry that answers, and are written all together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from mlp.app import make_app
from mlp.console import PlainError
from mlp.images import command
from mlp.images import registry as registry_digest
from mlp.images.pins import TABLE, pin
from mlp.images.registry import read_digest
from tests.unit.mlp.images.registries import MANIFEST, Registry, digest, of_architectures, serving

DOCKERFILE = Path("ml_workloads/projects/churn/Dockerfile")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Registry()) as made:
        yield made


@pytest.fixture
def root(tmp_path: Path, registry: Registry) -> Path:
    """Return a repository with one image in its table, and a project based on another image."""
    for path, text in (
        (TABLE, f"# images\nplugin {registry.host}/team/plugin:v1 -\n"),
        (DOCKERFILE, f"FROM {registry.host}/python:3.11 AS one\nFROM {registry.host}/python:3.11\nFROM one\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_digest_is_that_of_the_index_of_all_architectures(registry: Registry):
    pushed = registry.push("team/plugin:v1", of_architectures("a", "b"))
    assert read_digest(f"{registry.host}/team/plugin:v1") == pushed


def test_an_image_of_one_architecture_has_the_digest_of_its_manifest(registry: Registry):
    pushed = registry.push("team/plugin:v1", f'{{"mediaType": "{MANIFEST}"}}'.encode())
    assert read_digest(f"{registry.host}/team/plugin:v1") == pushed


def test_a_registry_that_wants_a_token_gives_one_for_the_repository_to_read(registry: Registry):
    registry.token = "for everybody"
    pushed = registry.push("team/plugin:v1", of_architectures("a"))
    assert read_digest(f"{registry.host}/team/plugin:v1") == pushed
    assert registry.scopes == ["repository:team/plugin:pull"]


def test_a_tag_that_is_not_there_and_a_registry_that_is_not_there_are_named(registry: Registry):
    with pytest.raises(PlainError, match=r"team/plugin:v2: 127\.0\.0\.1:\d+ answers 404 .*correct the tag"):
        read_digest(f"{registry.host}/team/plugin:v2")
    with pytest.raises(PlainError, match=r"127\.0\.0\.1:1/team/plugin:v1: 127\.0\.0\.1:1 cannot be asked"):
        read_digest("127.0.0.1:1/team/plugin:v1")


def test_a_digest_that_is_not_that_of_what_was_sent_is_refused(registry: Registry):
    registry.push("team/plugin:v1", of_architectures("a"))
    registry.lies = True
    with pytest.raises(PlainError, match="says that it is sha256:000"):
        read_digest(f"{registry.host}/team/plugin:v1")


def test_what_is_no_manifest_is_refused(registry: Registry):
    registry.push("team/plugin:v1", b'{"mediaType": "text/html"}')
    with pytest.raises(PlainError, match=r"it answered with text/html \(26 bytes\), which is not an image manifest"):
        read_digest(f"{registry.host}/team/plugin:v1")


def test_private_registries_of_ecr_are_asked_with_the_callers_credentials(monkeypatch: pytest.MonkeyPatch):
    host = "602401143452.dkr.ecr.us-west-2.amazonaws.com"
    sent: list[tuple[str, str | None]] = []

    def get(address: str, authorization: str | None) -> tuple[bytes, str | None]:
        sent.append((address, authorization))
        return b"index", None

    monkeypatch.setattr(registry_digest, "_get", get)
    with mock_aws():
        token = boto3.client("ecr", region_name="us-west-2").get_authorization_token()
        assert read_digest(f"{host}/eks/plugin:v1") == digest(b"index")
    expected = token["authorizationData"][0]["authorizationToken"]
    assert sent == [(f"https://{host}/v2/eks/plugin/manifests/v1", f"Basic {expected}")]


def test_table_and_dockerfiles_are_written_and_a_second_run_changes_nothing(root: Path, registry: Registry):
    plugin = registry.push("team/plugin:v1", of_architectures("a", "b"))
    base = registry.push("python:3.11", of_architectures("c"))
    assert set(pin(root, read_digest).changed) == {TABLE, DOCKERFILE}
    assert (root / TABLE).read_text() == f"# images\nplugin {registry.host}/team/plugin:v1 {plugin}\n"
    python = f"{registry.host}/python:3.11@{base}"
    assert (root / DOCKERFILE).read_text() == f"FROM {python} AS one\nFROM {python}\nFROM one\n"
    assert pin(root, read_digest).changed == ()
    newer = registry.push("python:3.11", of_architectures("d"))
    assert pin(root, read_digest).changed == (DOCKERFILE,)
    assert (root / DOCKERFILE).read_text().count(newer) == 2


def test_what_cannot_be_read_keeps_its_digest_and_the_rest_is_written(root: Path, registry: Registry):
    plugin = registry.push("team/plugin:v1", of_architectures("a"))
    before = (root / DOCKERFILE).read_text()
    assert list(pin(root, read_digest).problems) == [f"{registry.host}/python:3.11"]
    assert (root / DOCKERFILE).read_text() == before
    assert plugin in (root / TABLE).read_text()
    assert not [path for path in root.rglob(".*") if path.is_file()]


def test_a_table_that_is_half_written_is_refused_and_nothing_is_written(root: Path, registry: Registry):
    registry.push("python:3.11", of_architectures("c"))
    (root / TABLE).write_text("plugin 127.0.0.1/team/plugin:v1 sha256:12")
    before = (root / DOCKERFILE).read_text()
    with pytest.raises(PlainError, match="was not written whole"):
        pin(root, read_digest)
    assert (root / DOCKERFILE).read_text() == before


def test_the_command_says_what_it_wrote_and_fails_for_what_it_could_not_read(
    root: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(command, "ROOT", root)
    plugin = registry.push("team/plugin:v1", of_architectures("a"))
    done = CliRunner().invoke(make_app(), ["images", "pin"])
    assert done.exit_code == 1
    assert f"{registry.host}/team/plugin:v1 {plugin}" in done.output
    assert f"Changed: {TABLE}." in done.output
    assert f"not read: {registry.host}/python:3.11: " in done.output
    registry.push("python:3.11", of_architectures("c"))
    assert CliRunner().invoke(make_app(), ["images", "pin"]).exit_code == 0
