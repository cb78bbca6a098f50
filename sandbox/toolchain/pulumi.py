"""The Pulumi engine: the official one when it is installed and fits, else built from its pinned Go module, once."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import version as distribution_version
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.instance import PROJECT
from sandbox.toolchain import cache
from sandbox.toolchain.gobuild import build
from sandbox.toolchain.golang import ensure_go, needed_version
from sandbox.toolchain.tool import Tool, Version, first_line, parse_version, words

MODULE = PROJECT / "tools" / "pulumi"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
LANGUAGE_HOST = "pulumi-language-python"


def required_version() -> Version:
    """An engine older than the SDK may lack what the SDK asks of it."""
    found = parse_version(distribution_version("pulumi"))
    if found is None:
        raise SandboxError("the installed pulumi package has no version; run `make environment`")
    return found


def fits(found: Version, required: Version) -> bool:
    return found >= required and found[0] == required[0]


def find_pulumi() -> Tool | None:
    """Without building anything: an official one on PATH that fits, else the one that was built before."""
    official = find_official()
    if official is not None:
        return official
    built = cache.entry("pulumi", _key())
    return _built(built) if cache.intact(built) else None


def ensure_pulumi(report: Callable[[str], None]) -> Tool:
    """Build it when there is none; raises SandboxError."""
    found = find_pulumi()
    if found is not None:
        return found

    def make(folder: Path) -> str:
        go = ensure_go(needed_version(MODULE / "go.mod"), report)
        report(f"Building the Pulumi engine {words(required_version())} with Go {go.version} (usually 4 to 8 minutes)")
        build(go, MODULE, PACKAGE, _flags(), folder / "pulumi", report)
        if first_line([folder / "pulumi", "version"], env=_quiet()) is None:
            raise SandboxError(f"the engine that was built does not start; delete {cache.cache_folder()} and try again")
        return "pulumi"

    return _built(cache.ensure("pulumi", _key(), report, make))


def find_official() -> Tool | None:
    """The first on PATH that fits, has its language host, and is not one that an emulated account linked there."""
    for folder in os.get_exec_path():
        executable = Path(folder) / "pulumi"
        if (Path(folder).parent / "sandbox.json").is_file() or not os.access(executable, os.X_OK):
            continue
        version = pulumi_version(executable)
        if version is not None and fits(version, required_version()) and language_host(executable) is not None:
            return Tool("pulumi", executable, words(version), "found on PATH")
    return None


def pulumi_version(executable: Path) -> Version | None:
    said = first_line([executable, "version"], env=_quiet())
    return parse_version(said) if said else None


def language_host(executable: Path) -> Path | None:
    """The official language host of an official engine: beside it, or on PATH."""
    beside = executable.parent / LANGUAGE_HOST
    if beside.is_file():
        return beside
    on_path = shutil.which(LANGUAGE_HOST)
    return Path(on_path) if on_path and not (Path(on_path).parent.parent / "sandbox.json").is_file() else None


def _built(folder: Path) -> Tool:
    return Tool("pulumi", folder / "pulumi", words(required_version()), "built from tools/pulumi")


def _flags() -> list[str]:
    stamp = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{words(required_version())}"
    return ["-trimpath", "-ldflags", f"-s -w -X {stamp}"]


def _key() -> str:
    machine = f"{sys.platform} {platform.machine()}"
    texts = [" ".join(_flags()).encode(), machine.encode()]
    return cache.content_key((MODULE / "go.mod").read_bytes(), (MODULE / "go.sum").read_bytes(), *texts)


def _quiet() -> dict[str, str]:
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
