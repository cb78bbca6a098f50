"""Find what is wrong with a project's Dockerfile before an image is built."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from cli.projects.dockerfiles import Copy, DockerfileError, Outcome, Stage, copied, outcome, stages
from ml_workloads.project.data import LocalSource
from ml_workloads.project.image import PROJECTS
from ml_workloads.runtime.sample_check import Finding

if TYPE_CHECKING:
    from ml_workloads.project import Project

DOCKERFILE: Final = "Dockerfile"
RUNTIME: Final = PurePosixPath("ml_workloads/runtime")
_ENTRY_MODULES: Final = (PurePosixPath("ml_workloads/__init__.py"), RUNTIME)
_INSTALLS: Final = re.compile(r"\b(pip3?|uv|apt-get|apk|conda|mamba|poetry)\b.*\b(install|add|sync)\b")
_ROOT_USERS: Final = ("", "root", "0")


def check_dockerfile(project: Project, root: Path, files: frozenset[PurePosixPath]) -> list[Finding]:
    """Return what is wrong with a project's Dockerfile, or one finding that says it is well.

    Args:
        project: the project.
        root: the repository's folder.
        files: what the build may see, relative to `root`.
    """
    path = PROJECTS / project.name / DOCKERFILE
    try:
        found = stages((root / path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [_problem("there is none; copy the one of ml_workloads/projects/tumour-diagnosis")]
    except (OSError, UnicodeDecodeError, DockerfileError) as error:
        return [_problem(str(error))]
    image = outcome(found)
    problems = [*_bases(found), *_sources(found, project, files), *_result(image, project, files, found)]
    notes = [Finding(what=DOCKERFILE, state="note", said=each) for each in _user(image)]
    fine = Finding(what=DOCKERFILE, state="ok", said="it copies what training and server need")
    return [*([_problem(each) for each in problems] or [fine]), *notes]


def installs_more(text: str) -> bool:
    """Return whether a Dockerfile installs more than the packages of the runtime."""
    try:
        found = stages(text)
    except DockerfileError:
        return False
    runs = (each.text for stage in found for each in stage.instructions if each.keyword == "RUN")
    return any(_INSTALLS.search(run) and "/tmp/requirements.txt" not in run for run in runs) or any(  # noqa: S108
        "requirements" in source and not source.endswith(str(RUNTIME / "requirements.txt"))
        for stage in found
        for each in stage.instructions
        if each.keyword in ("COPY", "ADD") and (copy := copied(each, PurePosixPath("/")))
        for source in copy.sources
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


def _sources(found: Sequence[Stage], project: Project, files: frozenset[PurePosixPath]) -> Iterator[str]:
    for stage in found:
        for each in stage.instructions:
            if each.keyword not in ("COPY", "ADD") or (copy := copied(each, PurePosixPath("/"))) is None:
                continue
            for source in copy.sources:
                if not _is_there(source, files):
                    yield f"line {each.line}: {each.keyword} {source}: {_why_not(source, project)}"


def _is_there(source: str, files: frozenset[PurePosixPath]) -> bool:
    wanted = source.strip("/").removeprefix("./").rstrip("/")
    if wanted in ("", "."):
        return True
    paths = {str(each) for each in files} | {str(parent) for each in files for parent in each.parents}
    return wanted in paths or any(fnmatchcase(path, wanted) for path in paths)


def _why_not(source: str, project: Project) -> str:
    own = f"{PROJECTS}/{project.name}/"
    if source.startswith(f"{PROJECTS}/") and not source.startswith(own):
        return f"a build sees only its own project; write {own}..."
    if not source.startswith((own, f"{RUNTIME}")):
        return f"the build's context has no such file; it is the repository, with ml_workloads/runtime and {own} only"
    return "there is no such file among those that git tracks or would add, or the build leaves it out"


def _user(image: Outcome) -> Iterator[str]:
    """Pods name a user of their own; whoever else runs the image gets the one that it names."""
    if image.user is None or image.user.partition(":")[0] in _ROOT_USERS:
        where = f"line {image.user_line}: USER {image.user}" if image.user is not None else "there is no USER"
        yield f"{where}: elsewhere than in pods the image runs as root; write USER 65532:65532"


def _result(image: Outcome, project: Project, files: frozenset[PurePosixPath], found: Sequence[Stage]) -> Iterator[str]:
    for entry in _ENTRY_MODULES:
        if not any(_covers(copy, entry) for copy in image.copies):
            yield f"nothing copies {entry}, which training and server are in; add COPY {entry} {entry}"
    modules = dict.fromkeys(
        reference.partition(":")[0].partition(".")[0]
        for reference in (project.training.entrypoint, project.data.contract)
    )
    for module in modules:
        yield from _module(image, project, module, files)
    yield from _data(image, project, files, found)


def _module(image: Outcome, project: Project, module: str, files: frozenset[PurePosixPath]) -> Iterator[str]:
    """Whether a module of the project lies where Python looks for it."""
    folder = PROJECTS / project.name
    place = folder / f"{module}.py" if folder / f"{module}.py" in files else folder / module
    copies = [copy for copy in image.copies if _covers(copy, place)]
    if not any(place == each or place in each.parents for each in files):
        return  # which the import tells
    if not copies:
        yield f"nothing copies {place}, which project.yaml names; add COPY {place} {place.name}"
        return
    paths = [PurePosixPath(each) for each in image.variables.get("PYTHONPATH", "").split(":") if each]
    searched = {image.folder, *paths}
    if any("$" in str(each) for each in paths):
        return
    landed = {parent for copy in copies for parent in _lands_in(copy, place)}
    if not landed & searched:
        where = ", ".join(sorted(str(each) for each in landed)) or f"{copies[-1].target} without its own name"
        yield (
            f"line {copies[-1].line}: {place} lands in {where}, and Python looks in "
            f"{', '.join(sorted(str(each) for each in searched))}; write COPY {place} {place.name}, and WORKDIR /app"
        )


def _lands_in(copy: Copy, place: PurePosixPath) -> Iterator[PurePosixPath]:
    """Return the folders of the image that the module lies in by its own name."""
    is_file = place.suffix == ".py"
    for source in (_plain(each) for each in copy.sources):
        if source == place and is_file:
            if copy.into_folder:
                yield copy.target
            elif copy.target.name == place.name:
                yield copy.target.parent
        elif source == place:
            # Of a folder COPY takes what is in it.
            if copy.target.name == place.name:
                yield copy.target.parent
        elif source in place.parents:
            yield copy.target.joinpath(*place.relative_to(source).parts).parent


def _covers(copy: Copy, place: PurePosixPath) -> bool:
    return any(
        source == place or source in place.parents or fnmatchcase(str(place), str(source))
        for source in (_plain(each) for each in copy.sources)
    )


def _plain(source: str) -> PurePosixPath:
    return PurePosixPath(source.removeprefix("/"))


def _data(image: Outcome, project: Project, files: frozenset[PurePosixPath], found: Sequence[Stage]) -> Iterator[str]:
    """A file of the image has to be copied there, or be written by a RUN that names it."""
    source = project.data.source
    if not isinstance(source, LocalSource):
        return
    path = PROJECTS / project.name / source.path
    named = any(source.path in each.text for stage in found for each in stage.instructions)
    if not named and not (path in files and any(_covers(copy, path) for copy in image.copies)):
        yield f"nothing copies or writes {source.path}, which data.source.path names; add COPY {path} {source.path}"
