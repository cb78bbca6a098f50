"""Pulumi engine: the official one when it is installed and fits, else one built once from its pinned Go module."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib.metadata import version as distribution_version
from pathlib import Path

from mlp.machine.tool import Tool, Version, first_line, parse_version, words
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.gomodule import MODULES, GoModule

MODULE = MODULES / "pulumi"
LANGUAGE_HOST = "pulumi-language-python"


def required_version() -> Version:
    """Return the version of the SDK, because an older engine may lack functions that the SDK uses."""
    found = parse_version(distribution_version("pulumi"))
    if found is None:
        raise SandboxError("the installed pulumi package has no version; run `make environment`")
    return found


def fits(found: Version, required: Version) -> bool:
    return found >= required and found[0] == required[0]


def find_pulumi() -> Tool | None:
    """Return an engine without building anything: an official one on PATH that fits, else the one built before."""
    official = find_official()
    if official is not None:
        return official
    built = engine().find()
    return _built(built) if built else None


def ensure_pulumi(report: Callable[[str], None]) -> Tool:
    """Return an engine; build it when there is none.

    Raises:
        SandboxError: the engine cannot be built.
    """
    official = find_official()
    return official or _built(engine().ensure(report, _starts))


def find_official() -> Tool | None:
    """Return the first suitable official `pulumi` on PATH, or None.

    Its version fits `required_version()`, and its language host is beside it or on PATH. The links that a sandbox made
    to its own engine are skipped.
    """
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
    """Return the official language host of an official engine: beside it, or on PATH."""
    beside = executable.parent / LANGUAGE_HOST
    if beside.is_file():
        return beside
    on_path = shutil.which(LANGUAGE_HOST)
    return Path(on_path) if on_path and not (Path(on_path).parent.parent / "sandbox.json").is_file() else None


def engine() -> GoModule:
    version = words(required_version())
    return GoModule(
        name="pulumi",
        title=f"the Pulumi engine {version}",
        usually="4 to 8 minutes",
        commands={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        stamps={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{version}"},
        folder=MODULE,
    )


def _starts(folder: Path) -> bool:
    return first_line([folder / "pulumi", "version"], env=_quiet()) is not None


def _built(folder: Path) -> Tool:
    return Tool("pulumi", folder / "pulumi", words(required_version()), engine().origin)


def _quiet() -> dict[str, str]:
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
