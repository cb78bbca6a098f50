"""Entry of the `mlp doctor` table."""

from __future__ import annotations

from dataclasses import dataclass, replace

ON_PATH = "found on PATH"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Status of one tool.

    `version` is None if the tool is missing; `without` and `fix` then name the effect and the fix.
    """

    name: str
    required: bool
    without: str
    fix: str
    version: str | None = None
    path: str = ""
    origin: str = ""
    problem: str = "missing"

    @property
    def missing(self) -> bool:
        return self.version is None

    def found(self, version: str, path: str, origin: str) -> Entry:
        return replace(self, version=version, path=path, origin=origin)
