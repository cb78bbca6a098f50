"""Environments are exactly the existing stack files, for every caller."""

from pathlib import Path

import pytest
import yaml

from mlp.console import PlainError
from mlp.environments import PROGRAM, ROOT, STACKS, known_environments, stack_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("prod", "dev"):
        stack_file(name, tmp_path).touch()
    (tmp_path / "README.md").touch()
    return tmp_path


def test_name_and_folder_are_those_of_the_project_file():
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert (project["name"], ROOT / project["stackConfigDir"]) == (PROGRAM, STACKS)
    assert known_environments() == ["dev", "prod", "staging"]


def test_all_environments_are_meant_where_none_is_named(folder: Path):
    assert known_environments(None, folder) == known_environments([], folder) == ["dev", "prod"]


def test_named_environments_keep_their_order(folder: Path):
    assert known_environments(["prod", "dev"], folder) == ["prod", "dev"]


@pytest.mark.parametrize("name", ["qa", "", "../dev", "dev.yaml"])
def test_an_unknown_environment_is_named_with_those_that_there_are(folder: Path, name: str):
    with pytest.raises(PlainError) as refused:
        known_environments(["dev", name], folder)
    assert str(refused.value) == f"--env {name!r}: there is no such stack file; there are dev, prod"


def test_a_folder_without_stack_files_is_said(tmp_path: Path):
    with pytest.raises(PlainError, match="there is no such stack file; there are none"):
        known_environments(["dev"], tmp_path)
