"""`mlp doctor`: installed parts, missing parts, and the consequences."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlp import extensions
from mlp.app import make_app
from mlp.doctor import inventory
from mlp.doctor.entry import Entry
from mlp.doctor.inventory import blocking, take_inventory
from mlp.extensions import Report
from mlp.machine.errors import SetUpError
from tests.unit.mlp.local_account import Entry as EntryPoint

NEEDED = version("pulumi")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH; requirements are in step."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(inventory.virtual_environment, "in_step", lambda root: True)
    return tmp_path


def program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), ["doctor", *arguments], env={"COLUMNS": "200"})


def tools(done: Result) -> dict[str, dict[str, Any]]:
    return {tool["name"]: tool for tool in json.loads(done.stdout)["tools"]}


def test_without_an_engine_it_says_which_one_to_install(machine: Path) -> None:
    done = doctor()
    assert done.exit_code == 1
    assert "1 required missing" in done.output
    assert f"pulumi: missing; nothing can be previewed or deployed. To mend it: install Pulumi {NEEDED}" in done.output


@pytest.mark.parametrize(("engine", "code"), [(NEEDED, 0), ("3.1.0", 1), ("99.0.0", 0)])
def test_an_engine_older_than_the_sdk_counts_as_missing(machine: Path, engine: str, code: int) -> None:
    program(machine / "pulumi", f"echo v{engine}")
    done = doctor("--json")
    assert done.exit_code == code
    assert json.loads(done.output)["ok"] is (code == 0)
    assert tools(done)["pulumi"]["missing"] is (code == 1)


def test_every_tool_comes_with_its_version_and_where_it_came_from(machine: Path) -> None:
    program(machine / "git", "echo git version 2.39.5")
    found = tools(doctor("--json"))
    assert list(found) == ["python", "requirements", "pulumi", "aws", "git", "terraform"]
    assert (found["git"]["version"], found["git"]["origin"]) == ("2.39.5", "found on PATH")
    assert found["terraform"]["missing"]


def test_installed_packages_add_tools_and_know_better(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def added(report: Report) -> list[Entry]:
        report("something was put in order")
        own = Entry(name="oven", required=False, without="no bread", fix="buy one")
        return [Entry(name="pulumi", required=True, without="", fix="").found("1", "/built", "built"), own]

    monkeypatch.setattr(extensions, "installed", lambda group: {"x": EntryPoint(added)} if group == "mlp.tools" else {})
    done = doctor("--json")
    assert done.exit_code == 0
    assert list(tools(done)) == ["python", "requirements", "pulumi", "aws", "git", "terraform", "oven"]
    assert tools(done)["pulumi"]["path"] == "/built"
    assert "something was put in order" in done.stderr


@pytest.mark.parametrize("broken", [False, True])
def test_requirements_that_changed_are_not_in_step(
    machine: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    def in_step(root: Path) -> bool:
        if broken:
            raise SetUpError(f"{root} has no requirements")
        return False

    program(machine / "pulumi", f"echo v{NEEDED}")
    monkeypatch.setattr(inventory.virtual_environment, "in_step", in_step)
    done = doctor()
    assert done.exit_code == 1
    assert "requirements: not in step; " in done.output
    assert "make environment" in done.output


def test_what_is_missing_but_optional_does_not_block() -> None:
    entries = [
        Entry(name="a", required=True, without="", fix="", version="1"),
        Entry(name="b", required=False, without="", fix=""),
        Entry(name="c", required=True, without="", fix=""),
    ]
    assert [entry.name for entry in blocking(entries)] == ["c"]


def test_every_tool_says_what_fails_without_it() -> None:
    for entry in take_inventory(print):
        assert entry.without, entry.name
        assert entry.fix, entry.name
