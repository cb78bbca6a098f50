"""A local account in place of AWS, as an installed package provides it: a variable selects it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LOCAL = "LOCAL_ACCOUNT"


@dataclass
class Builders:
    """Stub that records the images to build and the modes of their files."""

    built: list[str] = field(default_factory=list[str])
    modes: set[int] = field(default_factory=set[int])

    def has(self, reference: str) -> bool:
        return reference in self.built

    def build(self, reference: str, dockerfile: Path, context: Path) -> None:
        assert dockerfile.is_file()
        self.built.append(reference)
        self.modes |= {path.stat().st_mode & 0o777 for path in (context, *context.rglob("*"))}


class LocalAccount:
    title = "a local account"
    sign_in = "local sign-in"
    start = "`local start`"

    def __init__(self) -> None:
        self.builders = Builders()

    def is_selected(self) -> bool:
        return LOCAL in os.environ

    def endpoint(self) -> str | None:
        return os.environ.get("AWS_ENDPOINT_URL")

    def engine_variables(self, environment: str, root: Path) -> Mapping[str, str]:
        return {"STACK_FILE": f"{root}/{environment}"}

    def image_builder(self, report: Callable[[str], None]) -> Builders:
        del report
        return self.builders


@dataclass
class Entry:
    """Stub of an entry point of `importlib.metadata`, with the used parts only."""

    loaded: object

    def load(self) -> object:
        return self.loaded
