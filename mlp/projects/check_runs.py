"""Check of the RUN instructions of a project's Dockerfile for missing modules and programs of the project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from components.checkout import FILE, files_below
from ml_workloads.project.image import PROJECTS
from mlp.projects.dockerfiles import Run

if TYPE_CHECKING:
    from ml_workloads.project import Project

_MODULE: Final = re.compile(r"\bpython[\d.]*\s+(?:-[A-LN-Za-ln-z]\w*\s+)*-m\s+([A-Za-z_][\w.]*)")
_PROGRAM: Final = re.compile(r"(?:^|[;&|\n(])\s*(sh\s+|bash\s+|python[\d.]*\s+)?\./([\w./-]+)")
# Commands that may add files, or run the program in another folder.
_BRINGS: Final = re.compile(r"(?:^|[\s;&|(])(?:cd|cp|mv|ln|tar|git|curl|wget|unzip|make|cmake|rsync)\s|>|<<")


def check_runs(runs: Sequence[Run], project: Project, root: Path, files: frozenset[PurePosixPath]) -> Iterator[str]:
    """Yield the problems of each RUN. Third-party packages are not checked."""
    for run in runs:
        text = _plain(run.text)
        if run.unknown or _BRINGS.search(f"{run.before}\n{text}".replace(">=", "")):
            continue
        yield from _modules(run, text, project, files)
        yield from _programs(run, text, root)


def searched_by_python(folder: PurePosixPath, variables: Mapping[str, str]) -> set[PurePosixPath] | None:
    """Return the folders where Python searches for modules; None if a variable in their paths has no known value."""
    paths = {PurePosixPath(each) for each in variables.get("PYTHONPATH", "").split(":") if each}
    found = {folder, *(folder / each for each in paths)}
    return None if any("$" in str(each) for each in found) else found


def _plain(text: str) -> str:
    try:
        held = json.loads(text)
    except ValueError:
        return text
    return " ".join(str(each) for each in held) if isinstance(held, list) else text


def _modules(run: Run, text: str, project: Project, files: frozenset[PurePosixPath]) -> Iterator[str]:
    folder = PROJECTS / project.name
    searched = searched_by_python(run.folder, run.variables)
    for module in _MODULE.findall(text):
        top, place = module.partition(".")[0], PurePosixPath(*module.split("."))
        own = any(folder / top in each.parents or each == folder / f"{top}.py" for each in files)
        if searched is None or not own:
            continue
        paths = (place.with_suffix(".py"), place / "__main__.py")
        if any(each / path in run.placed for each in searched for path in paths):
            continue
        there = any(folder / path in files for path in paths)
        fix = "copy it before this line" if there else f"the project has no {folder / paths[0]}"
        yield f"line {run.line}: RUN python -m {module} finds no such module; {fix}"


def _programs(run: Run, text: str, root: Path) -> Iterator[str]:
    for through, name in _PROGRAM.findall(text):
        path = run.folder / name
        if "$" in str(path) or (name in run.before.replace(f"/{name}", "") and path not in run.placed):
            continue
        file = run.placed.get(path)
        if file is None:
            yield f"line {run.line}: RUN ./{name}: nothing copies it to {path} before this line"
        elif not through and "chmod" not in f"{run.before}{text}" and files_below(root, file).get(file) == FILE:
            yield f"line {run.line}: RUN ./{name}: {file} is not executable; run chmod +x {file}, or RUN sh ./{name}"
