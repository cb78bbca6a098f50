"""Compilation of the pins: each file after those that constrain it, and none after a failure."""

import re
import tomllib
from pathlib import Path

import pytest

from mlp.environments import ROOT
from scripts import requirements


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file with the calls of a stub of uv, one a line; it fails in a folder with a file `conflict`."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").write_text(
        f'#!/bin/sh\necho "$UV_DEFAULT_INDEX $*" >> {tmp_path}/calls\n[ ! -e conflict ]\n'
    )
    (tmp_path / "bin" / "uv").chmod(0o755)
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setattr(requirements.sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr(requirements, "read_pip_configuration", lambda python: {"index-url": "https://i.example"})
    return tmp_path / "calls"


def test_all_files_are_compiled_with_hashes_from_the_machines_index(uv: Path, tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "pyproject.toml").touch()
    assert requirements.compile_all(tmp_path, ["--upgrade"]) == 0
    first, runtime, server, second = uv.read_text().splitlines()
    assert first.startswith("https://i.example pip compile ")
    assert first.endswith("--upgrade pyproject.toml -o requirements.txt")
    assert runtime.endswith("ml_workloads/runtime/requirements.in -o ml_workloads/runtime/requirements.txt")
    name = "platform_services/mlflow/image/requirements"
    assert server.endswith(f"{name}.in -o {name}.txt")
    pinned = "-c requirements.txt -c ml_workloads/runtime/requirements.txt"
    sources = "pyproject.toml ml_workloads/runtime/requirements.in sandbox/pyproject.toml --group dev"
    assert second.endswith(f"--upgrade {sources} {pinned} -o requirements-dev.txt")
    for call in (first, runtime, server, second):
        assert "--generate-hashes" in call
        assert "--no-emit-index-url" in call
        assert "--universal" in call


def test_a_conflict_ends_it(uv: Path, tmp_path: Path) -> None:
    (tmp_path / "conflict").touch()
    assert requirements.compile_all(tmp_path, []) == 1
    assert len(uv.read_text().splitlines()) == 1


def test_a_clone_without_the_sandbox_compiles_the_rest(uv: Path, tmp_path: Path) -> None:
    assert requirements.compile_all(tmp_path, []) == 0
    assert "sandbox" not in uv.read_text()


def test_the_build_backend_of_every_package_is_the_pinned_one() -> None:
    pinned = re.search(r"^setuptools==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    for file in (ROOT / "pyproject.toml", *ROOT.glob("*/pyproject.toml")):
        assert tomllib.loads(file.read_text())["build-system"]["requires"] == [pinned[0]], file
