"""A table of others' images by tag and digest, and the base images of Dockerfiles: reading and writing the text. Pure.

A tag is a name that its registry may give to another image tomorrow; a digest is what the image is. Pods name both.
https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

NO_DIGEST: Final = "-"
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_NAME: Final = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_REFERENCE: Final = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?)/(?P<path>[a-z0-9._/-]+):(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"
)
_FROM: Final = re.compile(
    r"(?P<before>\s*FROM\s+(?:--platform=\S+\s+)?)(?P<image>[^\s@$]+)(?:@(?P<digest>\S+))?(?P<after>\s.*)?",
    re.IGNORECASE,
)


class ImageTableError(ValueError):
    """A table or a digest is not one; the message names the line, the value and the fix."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """`reference` is host/path:tag; `digest` is empty until somebody has asked the registry."""

    name: str
    reference: str
    digest: str = ""

    @property
    def pinned(self) -> str:
        """As pods name it: by tag and digest, or by tag alone as long as there is no digest."""
        return f"{self.reference}@{self.digest}" if self.digest else self.reference


def parse_table(text: str, source: str) -> dict[str, Image]:
    """Return the images of a table by name.

    Args:
        text: lines of name, reference and digest (or -), with comments after `#`.
        source: where a person would look for it.

    Raises:
        ImageTableError: a line is none of these, such as the last one of a file that was not written to its end.
    """
    if text and not text.endswith("\n"):
        raise ImageTableError(f"{source}: its last line has no end, so it was not written whole; take it from Git")
    found: dict[str, Image] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where, words = f"{source}, line {number}", line.split()
        if len(words) != 3:
            raise ImageTableError(f"{where}: got {line!r}; write name, host/path:tag, and {NO_DIGEST} for the digest")
        name, reference, digest = words
        parts = _REFERENCE.fullmatch(reference)
        if not _NAME.fullmatch(name) or name in found:
            raise ImageTableError(f"{where}: got name {name!r}; write one of its own in a-z, 0-9, . and -")
        if not parts or parts["tag"] == "latest":
            raise ImageTableError(f"{where}: got {reference!r}; write host/path:tag with the tag of a version")
        if digest != NO_DIGEST and not DIGEST.fullmatch(digest):
            raise ImageTableError(f"{where}: got digest {digest!r}; write {NO_DIGEST} and run `mlp images pin`")
        found[name] = Image(name=name, reference=reference, digest="" if digest == NO_DIGEST else digest)
    return found


def with_digests(text: str, digests: Mapping[str, str], source: str) -> str:
    """Return the table with other digests, and everything else as it was.

    Args:
        text: the table.
        digests: by the names of images; those that are not named keep theirs.
        source: where a person would look for the table.

    Raises:
        ImageTableError: the table is wrong, has no such image, or something is no digest.
    """
    known = parse_table(text, source)
    for name, digest in digests.items():
        if name not in known:
            raise ImageTableError(f"{source}: there is no image {name!r}; there are {', '.join(known)}")
        check_digest(digest)
    lines = [_line(line, digests) for line in text.splitlines(keepends=True)]
    return "".join(lines)


def check_digest(digest: str) -> str:
    """Return a digest. Raises ImageTableError where it is none."""
    if not DIGEST.fullmatch(digest):
        raise ImageTableError(f"got {digest!r}, which is no digest: sha256: and 64 hexadecimal digits")
    return digest


def _line(line: str, digests: Mapping[str, str]) -> str:
    words = line.split()
    if line.startswith("#") or not words or words[0] not in digests:
        return line
    return f"{words[0]} {words[1]} {digests[words[0]]}\n"


def bases(dockerfile: str) -> Sequence[str]:
    """Return the images with a host and a tag that stages of a Dockerfile begin with, each once, without digests."""
    return tuple(dict.fromkeys(match["image"] for match in _bases(dockerfile)))


def with_pinned_bases(dockerfile: str, digests: Mapping[str, str]) -> str:
    """Return a Dockerfile whose FROM lines name images by tag and digest.

    Args:
        dockerfile: its text.
        digests: by reference; an empty one takes the digest away, and other images stay as they are.
    """
    lines: list[str] = []
    for line in dockerfile.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        match = _FROM.fullmatch(body)
        if match and match["image"] in digests:
            digest = digests[match["image"]]
            pinned = f"{match['image']}@{check_digest(digest)}" if digest else match["image"]
            line = f"{match['before']}{pinned}{match['after'] or ''}{line[len(body) :]}"
        lines.append(line)
    return "".join(lines)


def _bases(dockerfile: str) -> Iterator[re.Match[str]]:
    for line in dockerfile.splitlines():
        match = _FROM.fullmatch(line)
        if match and _REFERENCE.fullmatch(match["image"]):
            yield match
