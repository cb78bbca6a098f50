"""Install Debian packages, when this is Debian (or a child of it) and we are root; standard library only."""

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
    """With apt's own output; raises SetUpError."""
    report("apt-get update (usually 10 s)")
    _apt("update", "-q")
    _install(packages, report)


def install_programs(packages: Sequence[str], report: Report) -> None:
    """The packages' programs: services that come with them are neither started nor enabled."""
    with no_services():
        install(packages, report)


def install_postgresql(report: Report) -> None:
    """The server's programs only: Debian would also make a database cluster, start it, and keep port 5432."""
    install(["postgresql-common"], report)
    with no_main_cluster(CREATE_CLUSTER):
        _install(["postgresql"], report)


@contextmanager
def no_main_cluster(settings: Path) -> Generator[None]:
    """The machine's own policy is as it was afterwards."""
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
