"""The command reports missing connections line by line; its exit code shows whether there are any."""

import json

import pytest
from typer.testing import CliRunner

from mlp.app import make_app
from mlp.reachability import command

FOUND = {"dev": [], "prod": ["vpn (10.200.0.0/16) reaches the Kubernetes API: no route back"], "staging": []}


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "check", FOUND.__getitem__)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(make_app(), ["reachability", *arguments])
    return done.exit_code, done.output


def test_a_way_that_is_closed_is_said_and_ends_with_one():
    code, output = run("--env", "prod")
    assert (code, output.splitlines()) == (1, [f"prod: {FOUND['prod'][0]}"])


def test_an_environment_whose_ways_are_open_ends_with_zero():
    assert run("--env", "dev") == (0, "dev: every way that it needs is open\n")


def test_all_environments_are_looked_at_when_none_is_named_and_programs_get_json():
    code, output = run("--json")
    assert (code, json.loads(output)) == (1, FOUND)


def test_an_unknown_environment_is_refused_with_those_that_there_are():
    code, output = run("--env", "qa")
    assert code == 1
    assert "--env 'qa': there is no such stack file; there are dev, prod, staging" in " ".join(output.split())
