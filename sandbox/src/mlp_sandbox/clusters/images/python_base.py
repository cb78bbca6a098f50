"""Equivalent of Docker's official image `python:3.11-slim`, made of Debian packages.

Python is Debian's, in a virtual environment at /usr/local. Therefore `python`, `pip` and the packages that pip installs
(also with --user and --prefix) are where the official image has them. https://hub.docker.com/_/python
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path

from mlp_sandbox.clusters.images.buildah import NAMESPACE
from mlp_sandbox.clusters.images.machine import debian_sources
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.progress import ticking

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "netbase", "python3", "python3-venv", "tzdata")
ARCHIVE = "rootfs.tar"
DOCKERFILE = f"""FROM scratch
ADD {ARCHIVE} /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHON_VERSION=3.11
CMD ["python3"]
"""
# Files that the official image leaves out, too. Without EXTERNALLY-MANAGED, pip installs where Debian's would refuse.
LEFT_OUT = (
    "dev/*",
    "usr/lib/python3.11/EXTERNALLY-MANAGED",
    "usr/share/doc/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
)
SLIM = "\n".join(f"path-exclude /usr/share/{folder}/*" for folder in ("doc", "info", "locale", "man")) + "\n"


def make_archive(context: Path, report: Callable[[str], None]) -> None:
    """Create `context`/rootfs.tar. Raises SandboxError."""
    root = context / "rootfs"
    sources = debian_sources(SUITE)
    report(f"  fetching and unpacking Debian's packages of Python ({SUITE}; usually 30 s)")
    mirror = [sources[0].split()[1]] if sources else []
    _run(["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(root), *mirror], report)
    _run(["chroot", str(root), "/usr/bin/python3", "-m", "venv", "--system-site-packages", "/usr/local"], report)
    for pattern in LEFT_OUT:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (root / "etc" / "dpkg" / "dpkg.cfg.d" / "slim").write_text(SLIM)
    (root / "etc" / "apt" / "apt.conf.d" / "slim").write_text(
        'APT::Install-Recommends "false";\nAcquire::Languages "none";\n'
    )
    if sources:
        (root / "etc" / "apt" / "sources.list").write_text("\n".join(sources) + "\n")
    for name in ("resolv.conf", "hostname"):
        (root / "etc" / name).unlink(missing_ok=True)
    # An archive keeps owners and set-user-id bits; copied files would lose them.
    _run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(context / ARCHIVE), "."], report)
    shutil.rmtree(root)


def _run(command: list[str], report: Callable[[str], None]) -> None:
    if shutil.which(command[0]) is None:
        raise SandboxError(f"{command[0]} is not on PATH; as root on Debian: mlp setup")
    last: deque[str] = deque(maxlen=20)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    with (
        ticking(report, lambda: last[-1][:100] if last else command[0]),
        subprocess.Popen(
            [*NAMESPACE, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        try:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            for line in process.stdout:
                last.append(line.rstrip())
        except BaseException:
            process.terminate()
            raise
        code = process.wait()
    if code:
        words = "\n".join(last)
        raise SandboxError(f"`{command[0]}` failed with exit code {code}:\n{words}")
