"""Analysis of a Dockerfile's stages: sources and destinations of their copies. Pure.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from mlp.projects.dockerfile_syntax import DockerfileError, Instruction, filled, instructions, pairs, words

_TOP: Final = PurePosixPath("/")
_ELSEWHERE: Final = ("http://", "https://", "git@", "ssh://")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Build stage, which a FROM begins. `base` is an image or the name of a previous stage."""

    line: int
    base: str
    name: str | None
    arguments: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    instructions: tuple[Instruction, ...] = field(repr=False, default=())


@dataclass(frozen=True, kw_only=True)
class Run:
    """RUN instruction, with the files of the image at its start. `before` is the text of the previous instructions."""

    line: int
    text: str
    placed: Mapping[PurePosixPath, PurePosixPath]
    folder: PurePosixPath
    variables: Mapping[str, str]
    before: str
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Source of a COPY or ADD that is missing from the build context."""

    line: int
    keyword: str
    source: str


@dataclass(kw_only=True)
class Outcome:
    """Final state of a stage.

    `placed` maps a path in the image to its file in the build context, `lines` to the line that copied it. `unknown`
    describes other possible copies, and why they cannot be analysed.
    """

    placed: dict[PurePosixPath, PurePosixPath] = field(default_factory=dict[PurePosixPath, PurePosixPath])
    lines: dict[PurePosixPath, int] = field(default_factory=dict[PurePosixPath, int])
    folder: PurePosixPath = _TOP
    user: str | None = None
    user_line: int = 0
    variables: dict[str, str] = field(default_factory=dict[str, str])
    arguments: dict[str, str] = field(default_factory=dict[str, str])
    unknown: tuple[str, ...] = ()
    before: str = ""


def stages(text: str) -> tuple[Stage, ...]:
    """Return the stages of a Dockerfile, first to last.

    Raises:
        DockerfileError: an instruction is unknown or precedes FROM, or there is no FROM.
    """
    found: list[tuple[Instruction, list[Instruction]]] = []
    arguments: dict[str, str] = {}
    for instruction in instructions(text):
        if instruction.keyword == "FROM":
            found.append((instruction, []))
        elif found:
            found[-1][1].append(instruction)
        elif instruction.keyword == "ARG":
            arguments |= pairs(filled(instruction.text, arguments))
        else:
            raise DockerfileError(f"line {instruction.line}: {instruction.keyword} stands before the first FROM")
    if not found:
        raise DockerfileError(
            "it has no FROM instruction; add FROM image:tag, with the base image, as the first instruction"
        )
    return tuple(_stage(first, body, arguments) for first, body in found)


def outcome(
    found: Sequence[Stage], files: Iterable[PurePosixPath]
) -> tuple[Outcome, tuple[Missing, ...], tuple[Run, ...]]:
    """Return the final state of the last stage, the missing sources, and each RUN of all stages.

    Args:
        found: the stages.
        files: files of the build context, relative to it.
    """
    context = {PurePosixPath("/") / each: each for each in files}
    missing: list[Missing] = []
    runs: list[Run] = []
    images: list[Outcome] = []
    names: dict[str, int] = {}
    for stage in found:
        base = images[names[stage.base.lower()]] if stage.base.lower() in names else Outcome()
        image = replace(base, placed=dict(base.placed), lines=dict(base.lines))
        for each in stage.instructions:
            text = filled(each.text, image.arguments | image.variables)
            if each.keyword == "RUN":
                runs.append(_run(each, image))
            elif each.keyword == "WORKDIR":
                image.folder /= text.strip("\"'")
            elif each.keyword == "USER":
                image.user, image.user_line = text, each.line
            elif each.keyword == "ENV":
                image.variables = image.variables | pairs(text, spaced=True)
            elif each.keyword == "ARG":
                own = pairs(text)
                again = {name: stage.arguments[name] for name in text.split() if name in stage.arguments}
                image.arguments = image.arguments | again | own
            elif each.keyword in ("COPY", "ADD"):
                missing += _copy(each, text, image, context, images, names)
            image.before += f"{each.keyword} {each.text}\n"
        if stage.name:
            names[stage.name.lower()] = len(images)
        images.append(image)
    return images[-1], tuple(missing), tuple(runs)


def sources_of(instruction: Instruction) -> tuple[str, ...]:
    """Return the sources of a COPY or ADD in the build context, as written."""
    flags, found = words(instruction.text)
    return () if any(flag.startswith("--from=") for flag in flags) else tuple(found[:-1])


def _run(instruction: Instruction, image: Outcome) -> Run:
    return Run(
        line=instruction.line,
        text=filled(instruction.text, image.arguments | image.variables),
        placed=dict(image.placed),
        folder=image.folder,
        variables=image.variables,
        before=image.before,
        unknown=image.unknown,
    )


def _copy(
    instruction: Instruction,
    text: str,
    image: Outcome,
    context: Mapping[PurePosixPath, PurePosixPath],
    images: Sequence[Outcome],
    names: Mapping[str, int],
) -> list[Missing]:
    """Add the copied files of an instruction to the image; return the sources that are missing from the context."""
    where = f"line {instruction.line}: {instruction.keyword}"
    flags, found = words(text)
    origin = next((flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")), None)
    if len(found) < 2:
        return []
    *sources, target = found
    if "$" in target or (origin is not None and "$" in origin):
        image.unknown += (f"{where} {text} holds a variable without a value here",)
        return []
    number = names.get((origin or "").lower(), int(origin) if origin and origin.isdecimal() else None)
    if origin is not None and (number is None or number >= len(images)):
        image.unknown += (f"{where} copies from the image {origin}",)
        return []
    held = context if number is None else images[number].placed
    if number is not None:
        image.unknown += images[number].unknown
    into = (
        target.endswith(("/", "/."))
        or target == "."
        or len(sources) > 1
        or (image.folder / target) in _folders(image.placed)
    )
    missing: list[Missing] = []
    for source in sources:
        if "$" in source or source.startswith(_ELSEWHERE):
            image.unknown += (f"{where} {source} cannot be followed here",)
        elif source.startswith("<<"):
            image.placed[image.folder / target] = PurePosixPath(source)
        elif put := _put(source, image.folder / target, into, held):
            image.placed |= put
            image.lines |= dict.fromkeys(put, instruction.line)
        elif number is None:
            missing.append(Missing(line=instruction.line, keyword=instruction.keyword, source=source))
    return missing


def _put(
    source: str, target: PurePosixPath, into: bool, held: Mapping[PurePosixPath, PurePosixPath]
) -> dict[PurePosixPath, PurePosixPath]:
    """Return the paths of copied files.

    COPY copies the contents of a folder, also of a folder that matches a pattern.
    """
    wanted = PurePosixPath("/") / source.removeprefix("./")
    put: dict[PurePosixPath, PurePosixPath] = {}
    for path, file in held.items():
        for top in (path, *path.parents):
            if len(top.parts) == len(wanted.parts) and all(map(fnmatchcase, top.parts, wanted.parts)):
                inside = path.relative_to(top)
                put[target / inside if inside.parts else target / path.name if into else target] = file
    return put


def _folders(placed: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    return {parent for each in placed for parent in each.parents}


def _stage(instruction: Instruction, body: Sequence[Instruction], arguments: Mapping[str, str]) -> Stage:
    _, found = words(filled(instruction.text, arguments))
    named = len(found) == 3 and found[1].lower() == "as"
    if not found or (len(found) != 1 and not named):
        raise DockerfileError(f"line {instruction.line}: write FROM image:tag, or FROM image:tag AS name")
    return Stage(
        line=instruction.line,
        base=found[0],
        name=found[2] if named else None,
        arguments=arguments,
        instructions=tuple(body),
    )
