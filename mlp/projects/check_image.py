"""Check of a project's Dockerfile before an image is built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from ml_workloads.project.data import LocalSource
from ml_workloads.project.image import PROJECTS
from ml_workloads.runtime.sample_check import Finding
from mlp.projects.check_runs import check_runs, searched_by_python
from mlp.projects.dockerfile_syntax import DockerfileError
from mlp.projects.dockerfiles import Outcome, Stage, outcome, sources_of, stages

if TYPE_CHECKING:
    from ml_workloads.project import Project

DOCKERFILE: Final = "Dockerfile"
RUNTIME: Final = PurePosixPath("ml_workloads/runtime")
_ENTRY_MODULES: Final = (PurePosixPath("ml_workloads/__init__.py"), RUNTIME)
_INSTALLS: Final = re.compile(r"\b(pip3?|uv|apt-get|apk|conda|mamba|poetry)\b.*\b(install|add|sync)\b")
_MOVES: Final = re.compile(r"(?:^|[\s;&|(])(?:cp|mv|ln|rsync|tar|install|git)\s+[-./\w]|\binstall\s+(?:-\S+\s+)*\.")
_ROOT_USERS: Final = ("", "root", "0")


def check_dockerfile(project: Project, root: Path, files: frozenset[PurePosixPath]) -> list[Finding]:
    """Return the problems of a project's Dockerfile, or one ok finding.

    If the check cannot follow an instruction, such as a copy from another image, missing files become notes.

    Args:
        project: the project.
        root: root folder of the repository.
        files: files of the build context, relative to `root`.
    """
    path = PROJECTS / project.name / DOCKERFILE
    try:
        found = stages((root / path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return [_problem("there is none; copy the one of ml_workloads/projects/tumour-diagnosis")]
    except UnicodeDecodeError as error:
        return [_problem(f"byte {error.start} is not UTF-8; save the file as UTF-8")]
    except OSError as error:
        return [_problem(f"it cannot be read: {error.strerror}; make it a file that you may read")]
    except DockerfileError as error:
        return [_problem(str(error))]
    image, missing, runs = outcome(found, files)
    told = list(_result(image, project, files, found))
    moved = next((f"line {run.line}: RUN moves files" for run in runs if _MOVES.search(run.text)), None)
    doubts = (*image.unknown, *([moved] if moved else []))
    problems = [
        *_bases(found),
        *(f"line {each.line}: {each.keyword} {each.source}: {_why_not(each.source, project)}" for each in missing),
        *check_runs(runs, project, root, files),
        *([] if doubts else told),
    ]
    notes = [*_user(image), *(f"{each}; that may be so because {doubts[0]}" for each in told if doubts)]
    fine = Finding(what=DOCKERFILE, state="ok", said="it copies what training and server need")
    return [
        *([_problem(each) for each in problems] or ([] if told else [fine])),
        *(Finding(what=DOCKERFILE, state="note", said=each) for each in notes),
    ]


def text_of(dockerfile: Path) -> str:
    """Return the text of a Dockerfile, "" if it does not exist or cannot be read."""
    try:
        return dockerfile.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""


def image_installs_more(dockerfile: Path) -> bool:
    """Return whether a Dockerfile, which may be missing or invalid, installs more than the runtime's packages."""
    return installs_more(text_of(dockerfile))


def installs_more(text: str) -> bool:
    """Return whether a Dockerfile installs more than the runtime's packages."""
    try:
        found = stages(text)
    except DockerfileError:
        return False
    runs = (each.text for stage in found for each in stage.instructions if each.keyword == "RUN")
    return any(_INSTALLS.search(run) and "/tmp/requirements.txt" not in run for run in runs) or any(  # noqa: S108
        "requirements" in source and not source.endswith(str(RUNTIME / "requirements.txt"))
        for stage in found
        for each in stage.instructions
        if each.keyword in ("COPY", "ADD")
        for source in sources_of(each)
    )


def _problem(said: str) -> Finding:
    return Finding(what=DOCKERFILE, state="problem", said=said)


def _bases(found: Sequence[Stage]) -> Iterator[str]:
    names: set[str] = set()
    for stage in found:
        if stage.base not in names and stage.base != "scratch" and "$" not in stage.base:
            name = stage.base.rpartition("/")[2]
            if "@" not in name and ":" not in name:
                yield f"line {stage.line}: FROM {stage.base} names no tag; write one, such as {stage.base}:3.11-slim"
            elif name.endswith(":latest"):
                yield f"line {stage.line}: FROM {stage.base} is another image each week; write a version as its tag"
        if stage.name:
            names.add(stage.name)


def _why_not(source: str, project: Project) -> str:
    own = f"{PROJECTS}/{project.name}/"
    if source.startswith(f"{PROJECTS}/") and not source.startswith(own):
        return f"a build sees only its own project; write {own}..."
    if not source.startswith((own, f"{RUNTIME}")):
        return f"the build's context has no such file; it is the repository, with ml_workloads/runtime and {own} only"
    return "there is no such file among those that git tracks or would add, or the build leaves it out"


def _user(image: Outcome) -> Iterator[str]:
    """Yield a problem if the image runs as root. Pods set their own user, but other runs use the image's user."""
    if image.user is None or image.user.partition(":")[0] in _ROOT_USERS:
        where = f"line {image.user_line}: USER {image.user}" if image.user is not None else "there is no USER"
        yield f"{where}: elsewhere than in pods the image runs as root; write USER 65532:65532"


def _result(image: Outcome, project: Project, files: frozenset[PurePosixPath], found: Sequence[Stage]) -> Iterator[str]:
    for entry in _ENTRY_MODULES:
        if not any(entry == each or entry in each.parents for each in image.placed.values()):
            yield f"nothing copies {entry}, which training and server are in; add COPY {entry} {entry}"
    modules = dict.fromkeys(
        reference.partition(":")[0].partition(".")[0]
        for reference in (project.training.entrypoint, project.data.contract)
    )
    for module in modules:
        yield from _module(image, project, module, files)
    yield from _data(image, project, found)


def _module(image: Outcome, project: Project, module: str, files: frozenset[PurePosixPath]) -> Iterator[str]:
    """Yield a problem if a module of the project is not where Python searches for it."""
    folder = PROJECTS / project.name
    place = folder / f"{module}.py" if folder / f"{module}.py" in files else folder / module
    if not any(place == each or place in each.parents for each in files):
        return  # the import reports a missing module, and `check_ignored` one that git ignores
    copies = {path: file for path, file in image.placed.items() if place == file or place in file.parents}
    if not copies:
        yield f"nothing copies {place}, which project.yaml names; add COPY {place} {place.name}"
        return
    searched = searched_by_python(image.folder, image.variables)
    if searched is None or any(each / place.name == top for each in searched for top in _tops(copies)):
        return
    first = min(copies)
    where = next((top.parent for top in sorted(_tops(copies)) if top.name == place.name), None)
    landed = f"{where}" if where else f"{first.parent} without its own name"
    yield (
        f"line {image.lines.get(first, 0)}: {place} lands in {landed}, and Python looks in "
        f"{', '.join(sorted(str(each) for each in searched))}; write COPY {place} {place.name}, and WORKDIR /app"
    )


def _tops(paths: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    return {each for path in paths for each in (path, *path.parents)}


def _data(image: Outcome, project: Project, found: Sequence[Stage]) -> Iterator[str]:
    """Yield a problem unless the data file is copied into the image, or written by a RUN that names it."""
    source = project.data.source
    if not isinstance(source, LocalSource):
        return
    path = PROJECTS / project.name / source.path
    named = any(source.path in each.text for stage in found for each in stage.instructions)
    if not named and path not in image.placed.values():
        yield f"nothing copies or writes {source.path}, which data.source.path names; add COPY {path} {source.path}"
