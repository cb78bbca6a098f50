"""Parser of Dockerfile lines into instructions, as in BuildKit. Pure.

https://docs.docker.com/reference/dockerfile/#format
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

# A separate word, as in `RUN <<EOF` or `RUN 3<<-"EOF" cat`; neither `1<<2` nor `<<<word`.
_HEREDOC: Final = re.compile(r"(?<!\S)\d*<<(-?)([\"']?)([^\s<\"']+)\2(?!\S)")
_DIRECTIVE: Final = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$")
_VARIABLE: Final = re.compile(r"(?<!\\)\$(?:\{([A-Za-z_]\w*)(?:(:?[-+])([^}]*))?\}|([A-Za-z_]\w*))")
_KNOWN: Final = (
    *("FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME", "USER"),
    *("WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL"),
)


class DockerfileError(ValueError):
    """Error: a Dockerfile cannot be parsed. The message names the line."""


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """Instruction. `line` is the number of its first line, `text` the text after the keyword, including heredocs."""

    line: int
    keyword: str
    text: str


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile.

    Raises:
        DockerfileError: an instruction is unknown, or a heredoc does not end.
    """
    written = text.removeprefix("\ufeff").splitlines()
    escape = _escape(written)
    lines = iter(enumerate(written, 1))
    for number, line in lines:
        whole = line.strip()
        if not whole or whole.startswith("#"):
            continue
        while whole.endswith(escape):
            following = next(lines, None)
            if following is None:
                break
            more = following[1].strip()
            if more and not more.startswith("#"):
                whole = f"{whole[:-1].rstrip()} {more}"
        first, *others = whole.split(maxsplit=1)
        keyword, rest = first.upper(), "".join(others)
        if keyword not in _KNOWN:
            raise DockerfileError(f"line {number}: {first!r} is no instruction of a Dockerfile")
        if keyword in ("RUN", "COPY", "ADD"):
            for dash, _, ending in _HEREDOC.findall(rest):
                rest += _heredoc(lines, ending, dash, number)
        yield Instruction(line=number, keyword=keyword, text=rest.strip())


def words(text: str) -> tuple[list[str], list[str]]:
    """Return flags and arguments, also of an instruction with a JSON list."""
    rest, flags = text.strip(), []
    while rest.startswith("--"):
        flag, *others = rest.split(maxsplit=1)
        flags.append(flag)
        rest = "".join(others)
    if rest.startswith("["):
        try:
            return flags, [str(each) for each in json.loads(rest)]
        except ValueError:
            return flags, []
    try:
        return flags, shlex.split(rest.partition("\n")[0])
    except ValueError:
        return flags, []


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Substitute variables with known values; others stay as written."""

    def value(found: re.Match[str]) -> str:
        name, sign, word = found[1] or found[4], (found[2] or "")[-1:], found[3] or ""
        if sign == "+":
            return word if name in variables else ""
        return variables.get(name, word if sign else found[0])

    return _VARIABLE.sub(value, text)


def pairs(text: str, *, spaced: bool = False) -> dict[str, str]:
    """Return the names and values of an ENV or ARG, without an ARG that has no value. `spaced` allows `ENV A b`."""
    try:
        found = shlex.split(text)
    except ValueError:
        return {}
    if spaced and len(found) > 1 and "=" not in found[0]:
        return {found[0]: " ".join(found[1:])}
    return dict(word.split("=", 1) for word in found if "=" in word)


def _escape(lines: list[str]) -> str:
    """Return the line continuation character. Directives precede all other lines."""
    for line in lines:
        found = _DIRECTIVE.match(line.strip())
        if found is None:
            break
        if found[1].lower() == "escape":
            return found[2]
    return "\\"


def _heredoc(lines: Iterator[tuple[int, str]], ending: str, dash: str, number: int) -> str:
    held = ""
    for _, line in lines:
        if (line.lstrip("\t") if dash else line) == ending:
            return held
        held += f"\n{line}"
    raise DockerfileError(f"line {number}: no line is {ending}, which ends what begins with <<{ending}")
