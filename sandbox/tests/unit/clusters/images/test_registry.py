"""The command that starts the registry."""

import json
from pathlib import Path

import pytest

from mlp_sandbox.clusters.images.registry import registry_command
from mlp_sandbox.errors import SandboxError
from sandbox.tests.unit.toolchain.programs import program


def test_it_serves_the_folder_on_the_address_and_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    registry = program(tmp_path / "bin" / "docker-registry", "exit 0")
    command = registry_command("10.10.0.1:5000", tmp_path, tmp_path / "storage")
    assert command == [str(registry), "serve", str(tmp_path / "registry.yml")]
    written = json.loads((tmp_path / "registry.yml").read_text())
    assert written["http"]["addr"] == "10.10.0.1:5000"
    assert written["storage"]["filesystem"]["rootdirectory"] == str(tmp_path / "storage")
    assert written["storage"]["maintenance"]["readonly"]["enabled"] is True
    assert (tmp_path / "registry.yml").stat().st_mode & 0o077 == 0


def test_a_registry_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="docker-registry is not on PATH; as root on Debian: mlp setup"):
        registry_command("127.0.0.1:5000", tmp_path)
