"""Keep the services of Debian packages from starting, now and at the next boot: only their programs are wanted.

Packages start their services through invoke-rc.d, which asks /usr/sbin/policy-rc.d first, and enable them for the next
boot. https://www.debian.org/doc/debian-policy/ch-opersys.html#managing-the-links
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
INIT_SCRIPTS = Path("/etc/init.d")
UNITS = Path("/etc/systemd/system")
# 101: the action is forbidden. No service is started while the file says so.
FORBIDS = "#!/bin/sh\n# For the time of one `mlp setup`; the machine's own policy, if any, is beside it.\nexit 101\n"


@contextmanager
def no_services() -> Generator[None]:
    """What is installed meanwhile neither starts nor will start at boot; what was there before is as it was."""
    scripts, units = _scripts(), _units()
    try:
        with _forbidden(POLICY):
            yield
    finally:
        for script in sorted(_scripts() - scripts):
            _quietly("update-rc.d", script, "disable")
        for unit in sorted(_units() - units):
            _quietly("deb-systemd-helper", "disable", unit)


@contextmanager
def _forbidden(policy: Path) -> Generator[None]:
    """A run that was killed left its own policy in place, and the machine's beside it: that one is put back first."""
    own = policy.with_name(f"{policy.name}.before-ml-platform")
    if policy.is_file() and policy.read_text() == FORBIDS:
        _restore(policy, own)
    if policy.exists():
        policy.rename(own)
    try:
        policy.write_text(FORBIDS)
        policy.chmod(0o755)
        yield
    finally:
        _restore(policy, own)


def _restore(policy: Path, own: Path) -> None:
    if own.exists():
        own.replace(policy)
    else:
        policy.unlink(missing_ok=True)


def _scripts() -> set[str]:
    return {path.name for path in INIT_SCRIPTS.glob("*")}


def _units() -> set[str]:
    return {path.name for path in UNITS.glob("*.wants/*.service")}


def _quietly(*command: str) -> None:
    """Where there is no such tool, there is nothing that would start a service."""
    try:
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return
