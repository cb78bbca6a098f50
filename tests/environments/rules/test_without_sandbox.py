"""A copy of the repository without the sandbox's folder is complete."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlp.environments import ROOT

LEFT_OUT = ("sandbox/", "tests/environments/")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the copy: a git repository with its own virtual environment."""
    folder = tmp_path_factory.mktemp("copy")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, tracked.split("\0")):
        if not name.startswith(LEFT_OUT) and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
            target.chmod((ROOT / name).stat().st_mode)
    for command in (["init", "-q"], ["add", "-A"], [*_AUTHOR, "commit", "-qm", "copy"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    run(folder, "make", "environment")
    return folder


_AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@example.com")


def run(folder: Path, *command: str, seconds: float = 600, code: int = 0) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == code, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_the_command_line_works_and_says_what_a_scheduler_needs(copy: Path):
    mlp = str(copy / ".venv" / "bin" / "mlp")
    shown = run(copy, mlp, "--help")
    assert "placement" in shown
    assert "sandbox" not in shown
    said = run(copy, mlp, "placement", "--env", "dev", code=1)
    assert "no installed package offers a Kubernetes scheduler (entry points of mlp.schedulers)" in " ".join(
        said.split()
    )


@pytest.mark.timeout(300)
def test_its_tests_can_be_collected(copy: Path):
    python = str(copy / ".venv" / "bin" / "python")
    run(copy, python, "-m", "pytest", "tests/unit", "tests/contract", "--collect-only", "-q")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_lint_and_all_its_tests_pass(copy: Path):
    run(copy, "make", "test", seconds=1800)
