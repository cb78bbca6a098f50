"""Imports only go down: mlp > stacks > ml_workloads > platform_services > components > validation.

Extensions of the platform, such as an emulated account, are separate packages that the platform never imports.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.programs import ROOT

LAYERS = ("mlp", "stacks", "ml_workloads", "platform_services", "components", "validation")
PROGRAM = LAYERS[1:]
# The set-up, which `mlp doctor` asks whether the environment is in step.
SET_UP = "scripts"
BESIDE = "mlp_sandbox"
# Where the name of what lies beside may stand: texts, and what builds and tests both.
MAY_SAY_SANDBOX = (
    *("sandbox/", "tests/", "docs/", ".ci/", ".github/", "Makefile", "pyproject.toml", ".pre-commit-config.yaml"),
    *("README", "CHANGELOG", "CONTRIBUTING", "SECURITY"),
)


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]


def imported(source: str) -> set[str]:
    """Return the top-level names of all modules that a source imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def forbidden(package: str) -> set[str]:
    if package == SET_UP:
        return {*PROGRAM, BESIDE}
    return {*LAYERS[: LAYERS.index(package)], BESIDE, *([] if package == "mlp" else [SET_UP])}


def upward_imports(package: str, files: dict[str, str]) -> Iterator[str]:
    for path, source in files.items():
        for name in sorted(imported(source) & forbidden(package)):
            yield f"{path} imports {name}"


def sources(package: str) -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / package).rglob("*.py")}


@pytest.mark.parametrize("package", [*LAYERS, SET_UP])
def test_a_layer_imports_only_what_lies_below_it(package: str):
    assert list(upward_imports(package, sources(package))) == []


def test_the_layers_that_exist_are_looked_at():
    assert all(sources(package) for package in (*LAYERS, SET_UP))


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("components", "from stacks.settings import PlatformSettings"),
        ("components", "def late():\n    import ml_workloads.projects"),
        ("validation", "from components.keys import Keys"),
        ("stacks", "import mlp_sandbox"),
        ("stacks", "from mlp import app"),
        ("stacks", "from scripts import layers"),
        ("mlp", "from mlp_sandbox.errors import SandboxError"),
        ("scripts", "from components.keys import Keys"),
    ],
)
def test_a_planted_upward_import_is_caught(package: str, source: str):
    assert len(list(upward_imports(package, {"planted.py": source}))) == 1


@pytest.mark.parametrize("folder", ["tests/unit", "tests/contract"])
def test_unit_and_contract_tests_do_without_the_sandbox(folder: str):
    beside = re.compile(rf"^\s*(?:from|import) (?:{BESIDE}|sandbox|tests\.environments)\b", re.MULTILINE)
    assert [path for path, source in sources(folder).items() if beside.search(source)] == []


def test_no_file_of_the_platform_names_the_sandbox():
    """The same program runs in the sandbox and on AWS: any code for the difference would be untested on AWS."""
    told = [
        path
        for path in tracked()
        if not path.startswith(MAY_SAY_SANDBOX)
        and re.search("sandbox", (ROOT / path).read_text(errors="replace"), re.I)
    ]
    assert told == []


def test_the_program_itself_stays_short():
    assert len((ROOT / "__main__.py").read_text().splitlines()) <= 40


@pytest.mark.parametrize("package", [*LAYERS, SET_UP])
def test_files_stay_readable_in_one_sitting(package: str):
    long = {path: len(source.splitlines()) for path, source in sources(package).items()}
    assert {path: lines for path, lines in long.items() if lines > 300} == {}


def test_no_machine_of_ours_is_named_in_what_is_committed():
    program = [path for path in tracked() if Path(path).parts[0] in (*LAYERS, SET_UP, "__main__.py", "Pulumi.yaml")]
    assert [path for path in program if re.search(r"(?<![\w/])/(work|root|home)/", (ROOT / path).read_text())] == []
