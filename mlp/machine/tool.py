"""Description of an installed or built tool, and comparison of versions."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, ...]


@dataclass(frozen=True)
class Tool:
    """Tool of this machine. `origin` describes its source for users."""

    name: str
    path: Path
    version: str
    origin: str


def parse_version(text: str) -> Version | None:
    """Return the first dotted number of a text such as `go version go1.26.8 linux/amd64`; None if there is none."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match.group().split(".")) if match else None


def words(version: Version) -> str:
    return ".".join(str(part) for part in version)


def first_line(command: Sequence[str | Path], env: dict[str, str] | None = None) -> str | None:
    """Return the first line of a tool's output; None if it does not start, fails or exceeds the timeout."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=30, check=False, env=env)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else None
