"""`mlp` as a whole: every command has help, and a call without its packages explains their installation."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from mlp import app
from mlp.app import OWN, make_app
from mlp.environments import ROOT
from mlp.reference import markdown, walk

COMMANDS: dict[tuple[str, ...], Any] = {(): get_command(make_app()), **dict(walk(get_command(make_app()), ()))}


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(["mlp", *path]))
def test_every_command_and_every_option_has_help(path: tuple[str, ...]) -> None:
    assert COMMANDS[path].help
    for parameter in COMMANDS[path].params:
        assert parameter.help or parameter.param_type_name == "argument", parameter.name
    done = CliRunner().invoke(make_app(), [*path, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_the_commands_are_the_documented_ones() -> None:
    names = {" ".join(path) for path in COMMANDS}
    assert names >= {"doctor", "bootstrap", "placement", "projects check", "images pin", "train", "mlflow"}


def test_the_reference_describes_every_command_of_the_platform() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    sections = markdown().split("\n## ")[1:]
    own = [each for each in sections if each.split()[1] in OWN]
    assert len(own) > len(OWN)
    missing = [each.splitlines()[0] for each in own if f"## {each.strip()}\n" not in f"{page}\n"]
    assert missing == [], "run: python -m mlp.reference > docs/cli.md"


def test_a_command_of_an_installed_package_joins_and_does_not_hide_one_of_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {name: EntryPoint(name, f"{__name__}:added", "mlp.commands") for name in ("added", "doctor")}
    monkeypatch.setattr(app, "installed", lambda group: found)
    assert CliRunner().invoke(make_app(), ["added"]).output == "added\n"
    assert "List every tool" in CliRunner().invoke(make_app(), ["doctor", "--help"]).output


def added() -> None:
    """Say that it was called."""
    print("added")


def test_a_command_that_cannot_be_loaded_is_named_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"broken": EntryPoint("broken", "no_such_module:command", "mlp.commands")}
    monkeypatch.setattr(app, "installed", lambda group: found)
    done = CliRunner().invoke(make_app(), ["broken"])
    assert done.exit_code == 1
    assert "the entry point broken of mlp.commands cannot be loaded from no_such_module:command" in done.stderr


def test_exit_codes_are_documented() -> None:
    assert "Exit codes" in CliRunner().invoke(make_app(), ["--help"]).output


@pytest.mark.parametrize("arguments", [["nonsense"], ["doctor", "--nonsense"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    done = CliRunner().invoke(make_app(), arguments)
    assert done.exit_code == 2
    assert "nonsense" in done.output


def test_without_its_packages_it_says_how_to_get_them() -> None:
    # -S: no site-packages, as with the system's Python.
    done = subprocess.run([sys.executable, "-S", "-m", "mlp"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not installed here; run `make environment`" in done.stderr
    assert done.stderr.count("\n") == 1
