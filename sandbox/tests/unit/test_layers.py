"""Import rule: the sandbox uses only the platform's command line, not the program that it emulates AWS for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlp_sandbox

SOURCES = Path(mlp_sandbox.__file__).parent
PROGRAM = {"stacks", "ml_workloads", "platform_services", "components", "validation"}
# Every other folder may use what the set-up shares, and no more.
MAY_USE_MLP = ("commands",)
SHARED = ("mlp.machine",)
LONGEST = 300


def imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def wrong(path: str, source: str) -> list[str]:
    used = {name for name in imports(source) if name.partition(".")[0] in {*PROGRAM, "mlp", "scripts"}}
    if path.startswith(MAY_USE_MLP):
        return sorted(name for name in used if name.partition(".")[0] != "mlp")
    return sorted(name for name in used if not name.startswith(SHARED))


def sources() -> dict[str, str]:
    return {str(path.relative_to(SOURCES)): path.read_text() for path in SOURCES.rglob("*.py")}


def test_only_commands_use_the_platform():
    assert {path: found for path, source in sources().items() if (found := wrong(path, source))} == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("emulator/server.py", "from components.keys import Keys"),
        ("emulator/server.py", "from mlp.console import console"),
        ("commands/demo.py", "import stacks.settings"),
    ],
)
def test_a_planted_import_is_caught(path: str, source: str):
    assert len(wrong(path, source)) == 1


def test_files_stay_readable_in_one_sitting():
    assert {path for path, source in sources().items() if len(source.splitlines()) > LONGEST} == set()
