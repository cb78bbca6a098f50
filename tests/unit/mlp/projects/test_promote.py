"""The commands that move aliases: output, exit codes, and mutual exclusion."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlp.app import make_app
from mlp.projects import lease
from tests.unit.ml_workloads.promotion.models import Model
from tests.unit.mlp.projects.conftest import JO
from tests.unit.mlp.projects.leases import LeaseServer


def mlp(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), list(arguments))


def document(done: Result) -> Any:
    return json.loads(done.stdout)


def test_a_version_goes_up_with_its_numbers_shown_and_the_next_command(model: Model):
    model.add(0.95, alias="dev")
    done = mlp("promote", model.name, "--to", "staging")
    assert done.exit_code == 0
    assert "0.95" in done.stdout
    assert "at least 0.8" in done.stdout
    assert f"Version 1 of {model.name} is staging now, the first one." in done.stdout
    assert f"mlp promote {model.name} --env dev --to production" in done.stdout
    assert model.aliases["staging"] == "1"


def test_a_worse_version_is_refused_with_exit_code_1_numbers_and_reasons(model: Model):
    model.name_it("staging", model.add(0.95))
    model.add(0.9, alias="dev")
    done = mlp("promote", model.name, "--to", "staging", "--json")
    assert done.exit_code == 1
    found = document(done)
    assert (found["allowed"], found["moved"], found["move"]) == (False, False, None)
    assert found["gate"] == {
        "metric": "f1",
        "value": 0.9,
        "bound": 0.8,
        "incumbent": 0.95,
        "incumbent_version": "1",
        "max_regression": 0.0,
    }
    (reason,) = found["reasons"]
    assert "f1 is 0.9, 0.05 worse than 0.95 of the model that is there; 0 is allowed" in reason
    assert reason in done.stderr.replace("\n", " ")
    assert model.aliases["staging"] == "1"


def test_what_has_the_alias_is_told_so_with_exit_code_0(model: Model):
    model.add(alias="dev")
    assert mlp("promote", model.name, "--to", "staging").exit_code == 0
    done = mlp("promote", model.name, "--to", "staging")
    assert done.exit_code == 0
    assert "is staging already; nothing was changed" in done.stdout


@pytest.mark.parametrize("arguments", [["promote", "--to", "production"], ["rollback"]])
def test_where_there_is_nothing_to_move_it_says_what_comes_first(model: Model, arguments: list[str]):
    model.add(alias="dev")
    done = mlp(arguments[0], model.name, *arguments[1:])
    assert done.exit_code == 1
    assert f"mlp promote {model.name} --to" in done.stderr


def test_a_rollback_goes_back_and_the_history_tells_who_moved_what(model: Model, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "churn")
    for f1 in (0.9, 0.95):
        version = model.add(f1)
        assert mlp("promote", model.name, "--to", "staging", "--version", version).exit_code == 0
        assert mlp("promote", model.name, "--to", "production").exit_code == 0
    found = document(mlp("rollback", model.name, "--json"))
    assert (found["version"], found["from"], model.aliases["production"]) == ("1", "2", "1")
    moves = document(mlp("models", model.name, "--history", "--json"))["moves"]
    assert [(move["kind"], move["alias"], move["from"], move["version"]) for move in moves] == [
        ("rollback", "production", "2", "1"),
        ("promote", "production", "1", "2"),
        ("promote", "staging", "1", "2"),
        ("promote", "production", None, "1"),
        ("promote", "staging", None, "1"),
    ]
    assert {(move["by"], move["account"]) for move in moves} == {(JO, "churn")}
    assert "f1 0.95, before 0.9" in mlp("models", model.name, "--history").stdout
    assert mlp("rollback", model.name).exit_code == 1


def test_a_move_by_hand_is_said(model: Model):
    first, second = model.add(0.9), model.add(0.95)
    for alias in ("staging", "production"):
        arguments = ["--version", first] if alias == "staging" else []
        assert mlp("promote", model.name, "--to", alias, *arguments).exit_code == 0
    model.name_it("production", second)
    for done in (mlp("models", model.name, "--history"), mlp("rollback", model.name)):
        assert done.exit_code == 0
        said = " ".join(done.stderr.split())
        assert "the record of moves ends with version 1, and it names version 2" in said
    assert model.aliases["production"] == first


def test_of_two_promotions_at_once_the_second_is_told_of_the_first(
    model: Model, leases: LeaseServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lease, "held", functools.partial(lease.held, patience=0))
    model.add(alias="dev")
    leases.before_write = lambda: leases.take("ann on laptop")
    done = mlp("promote", model.name, "--to", "staging")
    assert done.exit_code == 1
    assert "another promotion is under way, by somebody who was faster" in " ".join(done.stderr.split())
    done = mlp("promote", model.name, "--to", "staging")
    assert done.exit_code == 1
    assert "another promotion is under way, by ann on laptop" in " ".join(done.stderr.split())
    assert "staging" not in model.aliases


def test_one_that_was_overtaken_moves_nothing(model: Model, leases: LeaseServer, monkeypatch: pytest.MonkeyPatch):
    """Its lease expired while it read the numbers, and another caller holds it now."""
    from ml_workloads import promotion

    model.add(alias="dev")
    consider = promotion.consider

    def slowly(*arguments: Any) -> Any:
        found = consider(*arguments)
        leases.take("ann")
        return found

    monkeypatch.setattr(promotion, "consider", slowly)
    done = mlp("promote", model.name, "--to", "staging")
    assert done.exit_code == 1
    assert "another promotion has begun meanwhile" in done.stderr
    assert "staging" not in model.aliases
    assert leases.holder == "ann"


def test_the_lease_is_let_go_after_a_promotion_and_after_a_refusal(model: Model, leases: LeaseServer):
    for f1 in (0.95, 0.5):
        model.add(f1, alias="dev")
        mlp("promote", model.name, "--to", "staging")
        assert leases.holder == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["promote", "churn"],
        ["promote", "churn", "--to", "dev"],
        ["promote", "churn", "--to", "staging", "--version", "x"],
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str]):
    assert mlp(*arguments).exit_code == 2
