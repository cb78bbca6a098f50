"""Parser of image references such as ghcr.io/team/model:1, and the test for registries without TLS. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from components.images.table import DIGEST
from mlp.console import PlainError

DOCKER_HUB: Final = "docker.io"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_PATH: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """Parts of an image reference. `digest` is empty if the reference has none."""

    host: str
    path: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.host}/{self.path}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Parse a reference: [host/]path:tag[@digest].

    A first part without a full stop or a colon that is not localhost belongs to the path, and the image is on Docker
    Hub. https://pkg.go.dev/github.com/distribution/reference

    Raises:
        PlainError: the text is not such a reference.
    """
    name, at, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    has_host = bool(slash) and (first == "localhost" or any(sign in first for sign in ".:") or first.lower() != first)
    host, path = (first, rest) if has_host else (DOCKER_HUB, name)
    path, _, tag = path.partition(":")
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if not (_HOST.fullmatch(host) and _PATH.fullmatch(path) and _TAG.fullmatch(tag)):
        raise PlainError(f"image reference {text!r}: write [host/]path:tag in lower case, such as ghcr.io/team/model:1")
    if at and not DIGEST.fullmatch(digest):
        raise PlainError(f"image reference {text!r}: write sha256: and 64 hexadecimal digits after @, or leave it out")
    return Reference(host, path, tag, digest)


def is_plain_http(host: str) -> bool:
    """Return whether a registry is on this machine; container tools access such registries without TLS.

    https://docs.docker.com/reference/cli/dockerd/#insecure-registries

    Args:
        host: host name or IPv4 address, with or without a port.
    """
    name = host.rpartition(":")[0] or host
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
