"""Installation of Debian packages, if this is Debian (or a derivative) and the user is root; standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlp.machine.debian_services import no_services
from mlp.machine.errors import SetUpError

CREATE_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")
Report = Callable[[str], None]


def is_debian() -> bool:
    return Path("/etc/debian_version").is_file() and shutil.which("apt-get") is not None


def can_install() -> bool:
    return is_debian() and os.geteuid() == 0


def install(packages: Sequence[str], report: Report) -> None:
    """Install packages and show apt's own output. Raises SetUpError if apt fails."""
    report("apt-get update (usually 10 s)")
    _apt("update", "-q")
    _install(packages, report)


def install_programs(packages: Sequence[str], report: Report) -> None:
    """Install packages without starting or enabling the services that they contain."""
    with no_services():
        install(packages, report)


def install_postgresql(report: Report) -> None:
    """Install only the programs of PostgreSQL.

    Debian would also create a database cluster, start it, and occupy port 5432.
    """
    install(["postgresql-common"], report)
    with no_main_cluster(CREATE_CLUSTER):
        _install(["postgresql"], report)


@contextmanager
def no_main_cluster(settings: Path) -> Generator[None]:
    """Prevent the creation of a database cluster inside the block, and restore the machine's own setting afterwards."""
    before = settings.read_text() if settings.is_file() else ""
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"{before}\ncreate_main_cluster = false\n")
    try:
        yield
    finally:
        settings.write_text(before)


def _install(packages: Sequence[str], report: Report) -> None:
    report(f"apt-get install {' '.join(packages)} (usually 30 s)")
    _apt("install", "-q", "-y", "--no-install-recommends", *packages)


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", *arguments]
    try:
        code = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        raise SetUpError(f"apt-get cannot be started: {error.strerror}") from error
    if code:
        raise SetUpError(f"`{' '.join(command)}` failed with exit code {code}, as said above")
