"""Image references such as `python:3.11-slim`, parsed as by Docker and containerd."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlp_sandbox.errors import SandboxError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Reference:
    host: str
    path: str
    tag: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}:{self.tag}"

    @property
    def repository(self) -> str:
        """Return the repository in the sandbox's registry. Repository names cannot contain a colon."""
        return f"{self.host.replace(':', '_').lower()}/{self.path}"


def parse_reference(text: str) -> Reference:
    """Parse an image reference. The default host is Docker Hub's, the default tag `latest`.

    https://pkg.go.dev/github.com/distribution/reference. Raises SandboxError.
    """
    if "@" in text:
        raise SandboxError(f"image reference {text!r} has a digest; name a tag, such as my-team/model:1")
    first, slash, rest = text.partition("/")
    # The first part is a host if it cannot be part of a path on Docker Hub.
    if slash and (any(sign in first for sign in ".:") or first == "localhost" or first.lower() != first):
        host, path = first, rest
    else:
        host, path = "docker.io", text
    path, colon, tag = path.partition(":")
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    if not (_HOST.fullmatch(host) and _PATH.fullmatch(path) and (_TAG.fullmatch(tag) or not colon)):
        raise SandboxError(
            f"image reference {text!r} is not one: it is [host/]path[:tag] in lower case, such as my-team/model:1"
        )
    return Reference(host, path, tag or "latest")
