"""Find imports of a project's code that work on this machine, and not in the project's image."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ml_workloads.project.image import PROJECTS
from ml_workloads.runtime.sample_check import Finding

if TYPE_CHECKING:
    from ml_workloads.project import Project

IMPORTS: Final = "imports"
_REQUIREMENTS: Final = "ml_workloads/runtime/requirements.txt"
_OPTIONAL: Final = ("ImportError", "ModuleNotFoundError", "Exception")


def check_imports(project: Project, root: Path, *, more: bool) -> list[Finding]:
    """Return imports of a project's code that work here, and not in its image."""
    folder = root / PROJECTS / project.name
    own = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
    known = {*sys.stdlib_module_names, *own}
    installed = _installed(root)
    found = [
        each
        for file in sorted(folder.rglob("*.py"))
        if "tests" not in file.relative_to(folder).parts
        for each in _foreign(file, root, known, installed, more=more)
    ]
    return [Finding(what=IMPORTS, state="problem", said=said) for said in dict.fromkeys(found)]


def _foreign(file: Path, root: Path, known: set[str], installed: frozenset[str], *, more: bool) -> Iterator[str]:
    where = file.relative_to(root)
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError) as error:
        line = getattr(error, "lineno", None)
        yield f"{where}{f':{line}' if line else ''}: this is not Python: {getattr(error, 'msg', error)}"
        return
    for line, name in _imported(tree):
        top = name.partition(".")[0]
        if top == "ml_workloads":
            if name != "ml_workloads" and not f"{name}.".startswith("ml_workloads.runtime."):
                yield f"{where}:{line}: the image has no {name}; of the platform's code only ml_workloads.runtime"
        elif top not in known and (root / top).is_dir():
            yield f"{where}:{line}: {top} is a folder of this repository that the image does not have"
        elif top not in known and not more and _distributions(top) and not _distributions(top) & installed:
            package = min(_distributions(top))
            yield (
                f"{where}:{line}: the package {package} is installed here, and not in the image; "
                "add a RUN pip install of it to the Dockerfile"
            )


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Return modules that code cannot do without, with their lines; imports by dots are of the project itself."""
    for node in _needed(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [alias.name for alias in node.names] if node.module == "ml_workloads" else [""]
            yield from ((node.lineno, f"{node.module}.{name}".rstrip(".")) for name in names)


def _needed(tree: ast.AST) -> Iterator[ast.AST]:
    """Return nodes, without those that run for a type checker only, or whose failure to import is caught."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Try) and any(_catches_imports(each) for each in child.handlers):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield from _needed(child)


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or any(name in ast.unparse(handler.type) for name in _OPTIONAL)


@cache
def _by_module() -> dict[str, frozenset[str]]:
    return {module: frozenset(map(_normal, names)) for module, names in packages_distributions().items()}


def _distributions(module: str) -> frozenset[str]:
    return _by_module().get(module, frozenset())


def _installed(root: Path) -> frozenset[str]:
    """Return the packages that every image has: those of the runtime's requirements."""
    lines = (root / _REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    return frozenset(
        _normal(line.partition("==")[0]) for line in lines if "==" in line and not line.startswith(("#", " "))
    )


def _normal(name: str) -> str:
    """https://packaging.python.org/en/latest/specifications/name-normalization/"""
    return re.sub(r"[-_.]+", "-", name.strip().partition("[")[0]).lower()
