"""Pinned Go module whose commands are built once: one entry of the cache per content of its pins and flags."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.toolchain import cache
from mlp_sandbox.toolchain.gobuild import build
from mlp_sandbox.toolchain.golang import ensure_go, needed_version

MODULES = PROJECT / "sandbox" / "toolchain"


def pinned_version(go_mod: Path, path: str) -> str:
    """Return the version of a module that go.mod requires, without its v."""
    match = re.search(rf"^\s*(?:require )?{re.escape(path)} v(\S+)", go_mod.read_text(), re.MULTILINE)
    if match is None:
        raise SandboxError(f"{go_mod} does not require {path}; restore the file")
    return match.group(1)


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """Pinned Go module and the programs to build from it.

    Attributes:
        commands: packages by the names of their programs.
        stamps: values that the linker writes into variables.
        sources: globs of the module's own Go files; not needed for packages that go.mod and go.sum pin.
    """

    name: str
    title: str
    usually: str
    commands: Mapping[str, str]
    stamps: Mapping[str, str] = field(default_factory=dict[str, str])
    sources: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def module(self) -> Path:
        return self.folder or MODULES / self.name

    @property
    def origin(self) -> str:
        return f"built from sandbox/toolchain/{self.name}"

    def find(self) -> Path | None:
        """Return the folder of its programs when they were built before, else None."""
        place = cache.entry(self.name, self.key())
        return place if cache.intact(place) else None

    def ensure(self, report: Callable[[str], None], works: Callable[[Path], bool] = lambda folder: True) -> Path:
        """Return the folder of its programs; build them when they are missing.

        Raises:
            SandboxError: the build failed, or `works(folder)` says that the built program does not start.
        """

        def make(folder: Path) -> list[str]:
            go = ensure_go(needed_version(self.module / "go.mod"), report)
            report(f"Building {self.title} with Go {go.version} (usually {self.usually})")
            build(go, self.module, self.commands, self.flags(), folder, report)
            if not works(folder):
                raise SandboxError(
                    f"{self.title}: what was built does not start; delete {cache.cache_folder()} and try again"
                )
            return list(self.commands)

        return cache.ensure(self.name, self.key(), report, make)

    def key(self) -> str:
        machine = f"{sys.platform} {platform.machine()}"
        texts = [" ".join(self.flags()).encode(), machine.encode()]
        own = sorted({path for glob in self.sources for path in self.module.glob(glob)})
        own = [path for path in own if not path.name.endswith("_test.go")]
        texts += [part for path in own for part in (str(path.relative_to(self.module)).encode(), path.read_bytes())]
        return cache.content_key((self.module / "go.mod").read_bytes(), (self.module / "go.sum").read_bytes(), *texts)

    def flags(self) -> list[str]:
        stamps = [f"-X {variable}={value}" for variable, value in self.stamps.items()]
        # A stamp of the repository's commit would change the program with every commit.
        unstamped = ["-buildvcs=false"] if self.sources else []
        return ["-trimpath", *unstamped, "-ldflags", " ".join(["-s -w", *stamps])]
