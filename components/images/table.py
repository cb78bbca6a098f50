"""Parser and writer for the table of third-party images (tag and digest) and for base images in Dockerfiles. Pure.

A registry can move a tag to another image at any time; a digest identifies the content. Pods name both.
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
    """Error in a table or a digest. The message names the line, the value and the fix."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """Image of the table. `reference` is host/path:tag; `digest` is empty until somebody has queried the registry."""

    name: str
    reference: str
    digest: str = ""

    @property
    def pinned(self) -> str:
        """Return the name for pods: tag and digest, or only the tag if there is no digest yet."""
        return f"{self.reference}@{self.digest}" if self.digest else self.reference


def parse_table(text: str, source: str) -> dict[str, Image]:
    """Parse a table and return its images by name.

    Args:
        text: lines of name, reference and digest (or -), with comments after `#`.
        source: location of the table, for error messages.

    Raises:
        ImageTableError: a line is invalid, such as the last line of a truncated file.
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
    """Return the table with new digests and otherwise unchanged text.

    Args:
        text: the table.
        digests: new digests by image name; other images keep theirs.
        source: location of the table, for error messages.

    Raises:
        ImageTableError: the table is invalid, does not contain a named image, or a digest is invalid.
    """
    known = parse_table(text, source)
    for name, digest in digests.items():
        if name not in known:
            raise ImageTableError(f"{source}: there is no image {name!r}; there are {', '.join(known)}")
        check_digest(digest)
    lines = [_line(line, digests) for line in text.splitlines(keepends=True)]
    return "".join(lines)


def check_digest(digest: str) -> str:
    """Return the digest unchanged. Raises ImageTableError if it is invalid."""
    if not DIGEST.fullmatch(digest):
        raise ImageTableError(f"got {digest!r}, which is no digest: sha256: and 64 hexadecimal digits")
    return digest


def _line(line: str, digests: Mapping[str, str]) -> str:
    words = line.split()
    if line.startswith("#") or not words or words[0] not in digests:
        return line
    return f"{words[0]} {words[1]} {digests[words[0]]}\n"


def bases(dockerfile: str) -> Sequence[str]:
    """Return the base images of a Dockerfile's stages that have host and tag, without duplicates and digests."""
    return tuple(dict.fromkeys(match["image"] for match in _bases(dockerfile)))


def with_pinned_bases(dockerfile: str, digests: Mapping[str, str]) -> str:
    """Return a Dockerfile whose FROM lines name images by tag and digest.

    Args:
        dockerfile: its text.
        digests: digests by reference; an empty string removes the digest. Other images stay unchanged.
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
