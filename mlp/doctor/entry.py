"""One line of `mlp doctor`."""

from __future__ import annotations

from dataclasses import dataclass, replace

ON_PATH = "found on PATH"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One tool. `version` is None when it is missing; `without` and `fix` then say what that means and what to do."""

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
