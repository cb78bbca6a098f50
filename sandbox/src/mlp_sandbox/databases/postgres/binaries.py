"""Choice of the PostgreSQL for an instance: the requested major version, else the nearest, with a note."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from mlp_sandbox.databases.postgres.errors import DataPlaneError

DEBIAN_ROOT: Final = Path("/usr/lib/postgresql")
_SECONDS: Final = 20


@dataclass(frozen=True, kw_only=True)
class PostgresInstall:
    """One installed major version and the folder of its programs."""

    major: int
    bin: Path

    def program(self, name: str) -> str:
        return str(self.bin / name)


def installed(debian_root: Path = DEBIAN_ROOT, search_path: str | None = None) -> list[PostgresInstall]:
    """Return every server installation on this machine, by version; Debian's has precedence over the one on PATH."""
    folders = sorted(debian_root.glob("*/bin"))
    on_path = shutil.which("postgres", path=search_path)
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    found: dict[int, PostgresInstall] = {}
    for folder in folders:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            major = _major_of(folder / "postgres")
            if major is not None:
                found.setdefault(major, PostgresInstall(major=major, bin=folder))
    return sorted(found.values(), key=lambda install: install.major)


def choose_install(requested: str, on_disk: int | None, installs: Sequence[PostgresInstall]) -> PostgresInstall:
    """Return the installation for an engine version.

    Existing data can only be opened by the major version that wrote them.

    Raises:
        DataPlaneError: no suitable PostgreSQL is installed.
    """
    if on_disk is not None:
        for install in installs:
            if install.major == on_disk:
                return install
        raise DataPlaneError(
            f"the data were written by PostgreSQL {on_disk}, which is not installed; "
            f"on Debian: apt-get install postgresql-{on_disk}"
        )
    major = requested_major(requested)
    if not installs:
        raise DataPlaneError("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return min(installs, key=lambda install: (abs(install.major - major), -install.major))


def requested_major(engine_version: str) -> int:
    """Return the major version of an engine version: 15 for 15.4."""
    head = engine_version.partition(".")[0]
    if not head.isdecimal():
        raise DataPlaneError(f"engine_version {engine_version!r} is not a PostgreSQL version; write one such as 15.4")
    return int(head)


def substitution_note(requested: str, used: PostgresInstall) -> str | None:
    """Return the note that another major version runs than the requested one; None when it is the same."""
    major = requested_major(requested)
    if used.major == major:
        return None
    return (
        f"runs PostgreSQL {used.major} in place of {requested}: {major} is not installed or the data were made by "
        f"{used.major} (on Debian: apt-get install postgresql-{major})"
    )


@cache
def known_parameters(postgres: str) -> frozenset[str]:
    """Return the names of the server's parameters, as the server itself lists them."""
    listing = _output([postgres, "--describe-config"])
    if listing is None:
        raise DataPlaneError(f"{postgres} does not list its parameters; reinstall PostgreSQL")
    return frozenset(line.split("\t", 1)[0] for line in listing.splitlines() if "\t" in line)


@cache
def libraries(pg_config: str) -> frozenset[str]:
    """Return the names of the installation's loadable libraries; none when the installation does not list them."""
    folder = _output([pg_config, "--pkglibdir"])
    return frozenset(path.stem for path in Path(folder.strip()).glob("*.so")) if folder else frozenset()


@cache
def _major_of(postgres: Path) -> int | None:
    match = re.search(r"\(PostgreSQL\) (\d+)", _output([str(postgres), "--version"]) or "")
    return int(match.group(1)) if match else None


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
