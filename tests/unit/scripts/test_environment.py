"""The entry of the set-up: an old Python gets a message, not a traceback."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import environment

SCRIPT = Path(environment.__file__)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 9), (3, 10, 14)])
def test_an_old_python_is_named_with_the_way_out(version: tuple[int, int, int]) -> None:
    message = environment.too_old(version)
    assert message is not None
    assert f"Python {version[0]}.{version[1]} found, 3.11 or newer needed" in message
    assert "make PYTHON=" in message


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 1), (4, 0, 0)])
def test_a_new_python_will_do(version: tuple[int, int, int]) -> None:
    assert environment.too_old(version) is None


def test_the_entry_parses_in_an_old_python() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 4))


def test_with_an_old_python_and_no_newer_one_it_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(environment, "find_newer", lambda: None)
    assert environment.main() == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_newer_python_on_path_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Replaced(Exception):
        pass

    def execvp(name: str, arguments: list[str]) -> None:
        raise Replaced(name, arguments)

    monkeypatch.setattr(environment.sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(environment, "find_newer", lambda: "python3.12")
    monkeypatch.setattr(environment.os, "execvp", execvp)
    with pytest.raises(Replaced) as caught:
        environment.main()
    assert caught.value.args == ("python3.12", ["python3.12", *sys.argv])


def test_a_stand_in_that_does_not_run_is_no_newer_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, body in (("python3.98", "exit 127"), ("python3.97", f'exec {sys.executable} "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert environment.find_newer(("python3.99", "python3.98", "python3.97")) == "python3.97"
    assert environment.find_newer(("python3.99", "python3.98")) is None


def test_a_file_in_the_place_of_the_environment_is_one_line_of_error(tmp_path: Path) -> None:
    (tmp_path / "scripts").symlink_to(SCRIPT.parent)
    (tmp_path / "mlp").symlink_to(SCRIPT.parents[1] / "mlp")
    (tmp_path / "requirements-dev.txt").write_text("uv==1 --hash=sha256:00\n")
    (tmp_path / ".venv").write_text("")
    done = subprocess.run(
        [sys.executable, tmp_path / "scripts" / "environment.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert ".venv is not a folder" in done.stderr
    assert done.stderr.count("\n") == 1
