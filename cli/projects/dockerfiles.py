"""Read a Dockerfile as far as a check of it needs: instructions by stage, what they copy, and where to. Pure.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

_HEREDOC: Final = re.compile(r"<<-?\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?")
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))")
_KNOWN: Final = (
    *("FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME", "USER"),
    *("WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL"),
)


class DockerfileError(ValueError):
    """A Dockerfile cannot be read. The message names the line."""


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """`line` is the number of its first line, `text` what follows the keyword, with variables filled in."""

    line: int
    keyword: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Copy:
    """COPY or ADD of files of the build's context. `target` is absolute; a `/` at its end is kept in `into_folder`."""

    line: int
    sources: tuple[str, ...]
    target: PurePosixPath
    into_folder: bool


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a FROM begins. `base` is an image or the name of a stage before it."""

    line: int
    base: str
    name: str | None
    instructions: tuple[Instruction, ...] = field(repr=False, default=())


def stages(text: str) -> tuple[Stage, ...]:
    """Return the stages of a Dockerfile, first to last.

    Raises:
        DockerfileError: an instruction is unknown, stands before FROM, or there is no FROM.
    """
    found: list[Stage] = []
    body: list[Instruction] = []
    arguments: dict[str, str] = {}
    for instruction in _instructions(text):
        if instruction.keyword == "FROM":
            if found:
                found[-1] = _with(found[-1], body)
            body = []
            found.append(_stage(instruction, arguments))
        elif not found:
            if instruction.keyword != "ARG":
                raise DockerfileError(f"line {instruction.line}: {instruction.keyword} stands before the first FROM")
            name, _, value = instruction.text.partition("=")
            arguments[name.strip()] = value.strip().strip("\"'")
        else:
            body.append(instruction)
    if not found:
        raise DockerfileError("it has no FROM; begin with the image that it is built on")
    found[-1] = _with(found[-1], body)
    return tuple(found)


def chain(found: Sequence[Stage]) -> tuple[Stage, ...]:
    """Return the stages that the last one is built on, itself last."""
    by_name = {each.name: each for each in found if each.name}
    last = found[-1]
    line = [last]
    while (before := by_name.get(line[0].base)) is not None and before not in line:
        line.insert(0, before)
    return tuple(line)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an image looks in the end. `copies` are those of its stages; `variables` what ENV sets."""

    copies: tuple[Copy, ...]
    folder: PurePosixPath
    user: str | None
    user_line: int
    variables: Mapping[str, str]


def outcome(found: Sequence[Stage]) -> Outcome:
    """Return what the last stage, with those that it is built on, leaves behind."""
    folder, user, user_line = PurePosixPath("/"), None, 0
    variables: dict[str, str] = {}
    copies: list[Copy] = []
    for stage in chain(found):
        for each in stage.instructions:
            text = _filled(each.text, variables)
            if each.keyword == "WORKDIR":
                folder /= text.strip("\"'")
            elif each.keyword == "USER":
                user, user_line = text, each.line
            elif each.keyword == "ENV":
                variables |= _pairs(text)
            elif each.keyword in ("COPY", "ADD") and (copy := copied(each, folder, text)):
                copies.append(copy)
    return Outcome(copies=tuple(copies), folder=folder, user=user, user_line=user_line, variables=variables)


def copied(instruction: Instruction, folder: PurePosixPath, text: str | None = None) -> Copy | None:
    """Return what an instruction copies of the build's context, None where it copies from elsewhere."""
    flags, words = _words(text if text is not None else instruction.text)
    if any(flag.startswith("--from=") for flag in flags) or len(words) < 2:
        return None
    *sources, target = words
    if any("$" in word or word.startswith(("<<", "http://", "https://", "git@")) for word in words):
        return None
    return Copy(
        line=instruction.line,
        sources=tuple(sources),
        target=folder / target,
        into_folder=target.endswith("/") or target == "." or len(sources) > 1,
    )


def _instructions(text: str) -> Iterator[Instruction]:
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        whole = stripped
        while whole.endswith("\\"):
            following = next(lines, None)
            if following is None:
                break
            if following[1].strip().startswith("#"):
                continue
            whole = whole[:-1].rstrip() + " " + following[1].strip()
        keyword, _, rest = whole.partition(" ")
        keyword = keyword.upper()
        if keyword not in _KNOWN:
            raise DockerfileError(f"line {number}: {whole.partition(' ')[0]!r} is no instruction of a Dockerfile")
        if keyword in ("RUN", "COPY", "ADD"):
            for ending in _HEREDOC.findall(rest):
                rest += _heredoc(lines, ending)
        yield Instruction(line=number, keyword=keyword, text=rest.strip())


def _heredoc(lines: Iterator[tuple[int, str]], ending: str) -> str:
    held = ""
    for _, line in lines:
        if line.strip() == ending:
            break
        held += f"\n{line}"
    return held


def _stage(instruction: Instruction, arguments: Mapping[str, str]) -> Stage:
    _, words = _words(_filled(instruction.text, arguments))
    named = len(words) == 3 and words[1].lower() == "as"
    if not words or (len(words) != 1 and not named):
        raise DockerfileError(f"line {instruction.line}: write FROM image:tag, or FROM image:tag AS name")
    return Stage(line=instruction.line, base=words[0], name=words[2] if named else None)


def _with(stage: Stage, body: Sequence[Instruction]) -> Stage:
    return Stage(line=stage.line, base=stage.base, name=stage.name, instructions=tuple(body))


def _words(text: str) -> tuple[list[str], list[str]]:
    """Return flags, and what follows them, also where it is written as a JSON list."""
    rest, flags = text.strip(), []
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        flags.append(flag)
        rest = rest.lstrip()
    if rest.startswith("["):
        try:
            return flags, [str(each) for each in json.loads(rest)]
        except ValueError:
            return flags, []
    try:
        return flags, shlex.split(rest.partition("\n")[0])
    except ValueError:
        return flags, []


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """Fill in variables whose value is known; others stay as they are written."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[3], found[2] or found[0]), text)


def _pairs(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError:
        return {}
    if words and "=" not in words[0]:
        return {words[0]: " ".join(words[1:])}
    return dict(word.split("=", 1) for word in words if "=" in word)
