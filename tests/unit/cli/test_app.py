"""`mlp` as a whole: every command explains itself, and a call without its packages says how to get them."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from cli.app import make_app
from sandbox.instance import PROJECT

ROOT: Any = typer.main.get_command(make_app())


def every_command(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from every_command(child, (*path, name))


COMMANDS = dict(every_command(ROOT))


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
    assert names >= {"setup", "doctor", "up", "bootstrap", "sandbox up", "sandbox down", "sandbox env"}


def test_exit_codes_are_documented() -> None:
    assert "Exit codes" in CliRunner().invoke(make_app(), ["--help"]).output


@pytest.mark.parametrize("arguments", [["nonsense"], ["doctor", "--nonsense"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    done = CliRunner().invoke(make_app(), arguments)
    assert done.exit_code == 2
    assert "nonsense" in done.output


def test_without_its_packages_it_says_how_to_get_them() -> None:
    # -S: no site-packages, as with the system's Python.
    done = subprocess.run([sys.executable, "-S", "-m", "cli"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "is not installed here; run `make environment`" in done.stderr
    assert done.stderr.count("\n") == 1
