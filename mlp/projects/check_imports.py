"""Check for imports of a project's code that work on this machine, but not in the project's image."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from ml_workloads.project.image import PROJECTS
from ml_workloads.runtime.sample_check import Finding

if TYPE_CHECKING:
    from ml_workloads.project import Project

IMPORTS: Final = "imports"
_REQUIREMENTS: Final = "ml_workloads/runtime/requirements.txt"
_NO_CODE: Final = ("tests", "__pycache__")
_OPTIONAL: Final = ("ImportError", "ModuleNotFoundError", "Exception")


def check_imports(project: Project, root: Path, *, more: bool) -> list[Finding]:
    """Return imports of a project's code that work on this machine, but not in its image."""
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


def check_ignored(
    project: Project, root: Path, files: Collection[PurePosixPath], dockerfile: str = ""
) -> list[Finding]:
    """Return a problem for each module that the image's code imports and that exists only on this machine.

    The problem is a note if the Dockerfile names the module, or the `.proto` file that it is generated from: the build
    may generate it.

    Args:
        project: the project.
        root: root folder of the repository.
        files: files of the build context, relative to `root`; git's rules select them.
        dockerfile: text of the project's Dockerfile.
    """
    folder = root / PROJECTS / project.name
    ours = {_module(below): below for below in _code_below(folder)}
    paths = {name: PROJECTS / project.name / below for name, below in ours.items()}
    ignored = {name: path for name, path in paths.items() if path not in files}
    if not ignored:
        return []
    named = (reference.partition(":")[0] for reference in (project.training.entrypoint, project.data.contract))
    waiting, seen = [*named, *(ours.keys() - ignored.keys())], set[str]()
    while waiting:
        new = [name for name in _with_packages(waiting.pop()) if name in ours and name not in seen]
        seen.update(new)
        waiting += [other for name in new for other in _modules_imported(folder, ours[name], name)]
    return [
        Finding(
            what=IMPORTS,
            state="note" if _is_named(path, dockerfile) else "problem",
            said=f"git ignores {path}, so the image has no such module; rename it, or `git add -f` it"
            + (", unless its Dockerfile makes it" if _is_named(path, dockerfile) else ""),
        )
        for name, path in sorted(ignored.items())
        if name in seen
    ]


def _is_named(path: PurePosixPath, dockerfile: str) -> bool:
    return any(name in dockerfile for name in (path.name, f"{path.stem.removesuffix('_pb2')}.proto"))


def _code_below(folder: Path) -> Iterator[PurePosixPath]:
    """Yield Python files, packages last: a package takes precedence over a module of the same name."""
    for file in sorted(folder.rglob("*.py"), key=lambda file: file.name == "__init__.py"):
        below = PurePosixPath(file.relative_to(folder).as_posix())
        if not any(part in _NO_CODE or part.startswith(".") for part in below.parts):
            yield below


def _module(below: PurePosixPath) -> str:
    """Return the module name of a file; a package is named after its folder."""
    parts = below.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _with_packages(module: str) -> list[str]:
    """Return the names of a module and of its parent packages, which Python imports with it."""
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _modules_imported(folder: Path, below: PurePosixPath, module: str) -> Iterator[str]:
    """Yield the modules that a file may import; after `from a import b`, `a.b` may be a module."""
    try:
        tree = ast.parse((folder / below).read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # `check_imports` reports it
    package = module.split(".") if below.name == "__init__.py" else module.split(".")[:-1]
    for node in _needed(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}".lstrip(".") for alias in node.names)


def _foreign(file: Path, root: Path, known: set[str], installed: frozenset[str], *, more: bool) -> Iterator[str]:
    where = file.relative_to(root)
    try:
        tree = ast.parse(file.read_bytes())
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
    """Yield modules that code requires, with their lines. Relative imports refer to the project itself."""
    for node in _needed(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [alias.name for alias in node.names] if node.module == "ml_workloads" else [""]
            yield from ((node.lineno, f"{node.module}.{name}".rstrip(".")) for name in names)


def _needed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield nodes, except code for a type checker only, and imports whose failure is caught."""
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
    """Return the packages that every image has: the runtime's requirements."""
    lines = (root / _REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    return frozenset(
        _normal(line.partition("==")[0]) for line in lines if "==" in line and not line.startswith(("#", " "))
    )


def _normal(name: str) -> str:
    """Return the normalized name of a package.

    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name.strip().partition("[")[0]).lower()
