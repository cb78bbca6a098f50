"""The path from a project without a model to one that answers, by `mlp` commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlp.console import PlainError
from mlp.projects.commands import Commands, missing_steps, run_to_its_end

TRAIN, STAGE, PRODUCE = ("train", "--follow"), ("promote", "--to", "staging"), ("promote", "--to", "production")
# A command line of `mlp` that keeps a registry in a file, and has a gate that `refuse` closes.
MLP = """
import json, pathlib, sys
here = pathlib.Path(__file__).parents[1]
held = here / "aliases.json"
aliases = json.loads(held.read_text()) if held.exists() else {}
words = sys.argv[1:]
with (here / "typed").open("a") as typed:
    typed.write(" ".join(words) + "\\n")
if words[0] == "models":
    gate = "f1 0.4 is below 0.9" if (here / "refuse").exists() else "passed"
    print(json.dumps([{"version": "1", "aliases": list(aliases), "gate": gate}] if (here / "trained").exists() else []))
elif words[0] == "train":
    (here / "trained").touch()
    if not (here / "refuse").exists():
        aliases["dev"] = "1"
elif words[0] == "promote":
    if (here / "closed").exists():
        sys.exit(1)
    aliases[words[-1]] = "1"
elif words[0] == "predict":
    (here / "given").write_text(sys.stdin.read() if words[words.index("--data") + 1] == "-" else "")
    print(json.dumps({"predictions": ["a"], "model": {"version": "1"}}))
held.write_text(json.dumps(aliases))
"""


@pytest.mark.parametrize(
    ("aliases", "steps"),
    [
        ({}, [TRAIN, STAGE, PRODUCE]),
        ({"dev": "1"}, [STAGE, PRODUCE]),
        ({"dev": "2", "staging": "1"}, [PRODUCE]),
        ({"staging": "1"}, [PRODUCE]),
        ({"production": "1"}, []),
        ({"dev": "3", "staging": "2", "production": "1"}, []),
    ],
)
def test_only_what_is_missing_is_done(aliases: Mapping[str, str], steps: list[tuple[str, ...]]):
    assert missing_steps(aliases) == steps


@pytest.fixture
def mlp(tmp_path: Path) -> Commands:
    """Return commands that run the stub `mlp` of the folder instead of ours."""
    (tmp_path / "mlp").mkdir()
    (tmp_path / "mlp" / "__main__.py").write_text(MLP)
    (tmp_path / "mlp" / "__init__.py").touch()
    return Commands(
        stack="dev", again="`mlp again`", variables={**os.environ, "PYTHONPATH": str(tmp_path)}, root=tmp_path
    )


def typed(mlp: Commands) -> list[str]:
    return [line for line in (mlp.root / "typed").read_text().splitlines() if not line.startswith("models")]


def test_a_model_is_trained_promoted_and_asked_and_nothing_is_done_twice(mlp: Commands):
    assert mlp.model_in_production("churn") == "1"
    assert typed(mlp) == [
        "train churn --env dev --follow",
        "promote churn --env dev --to staging",
        "promote churn --env dev --to production",
    ]
    assert mlp.model_in_production("churn") == "1"
    assert len(typed(mlp)) == 3
    assert mlp.ask("churn", "1", "{}").predictions == ["a"]


@pytest.mark.parametrize("row", ['{"name": "Jo"}', ' [{"name": "Jo"}]'])
def test_rows_are_no_argument_of_a_process(mlp: Commands, row: str):
    mlp.ask("churn", "1", row)
    assert typed(mlp) == ["predict churn --data - --env dev --json"]
    assert (mlp.root / "given").read_text() == row


def test_a_file_of_rows_is_named(mlp: Commands):
    mlp.ask("churn", "1", "example.json")
    assert typed(mlp) == ["predict churn --data example.json --env dev --json"]


def test_a_gate_that_refuses_the_first_model_ends_it_with_its_reasons(mlp: Commands):
    (mlp.root / "refuse").touch()
    with pytest.raises(PlainError, match=r"f1 0\.4 is below 0\.9; see `mlp logs churn .*then `mlp again`"):
        mlp.model_in_production("churn")
    assert typed(mlp) == ["train churn --env dev --follow"]


def test_a_command_that_fails_is_named_with_what_goes_on_from_there(mlp: Commands):
    (mlp.root / "closed").touch()
    with pytest.raises(
        PlainError, match="`mlp promote churn --env dev --to staging` ended with exit code 1; `mlp again`"
    ):
        mlp.model_in_production("churn")


def test_ctrl_c_waits_until_the_command_has_ended_by_itself(tmp_path: Path):
    """The engine releases its lock when it is interrupted; a killed engine cannot."""
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        f"    time.sleep(1); pathlib.Path({str(tmp_path / 'cleaned')!r}).touch(); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        f"pathlib.Path({str(tmp_path / 'begun')!r}).touch()\n"
        "time.sleep(60)\n"
    )
    caller = tmp_path / "caller.py"
    caller.write_text(
        "import signal, sys\nfrom pathlib import Path\nfrom mlp.projects.commands import run_to_its_end\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"try:\n    run_to_its_end([sys.executable, {str(slow)!r}], Path('.'))\n"
        "except KeyboardInterrupt:\n    sys.exit(130)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[4])}
    process = subprocess.Popen([sys.executable, str(caller)], start_new_session=True, env=environment)
    deadline = time.monotonic() + 90
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert (tmp_path / "cleaned").exists()


def test_an_exit_code_comes_back(tmp_path: Path):
    assert run_to_its_end([sys.executable, "-c", "raise SystemExit(7)"], tmp_path) == 7
