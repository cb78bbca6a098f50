"""Prevention of services: packages install their programs, but their services do not start, now or at boot.

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
# 101: the action is forbidden. No service starts while the file returns this code.
FORBIDS = "#!/bin/sh\n# For the time of one `mlp setup`; the machine's own policy, if any, is beside it.\nexit 101\n"


@contextmanager
def no_services() -> Generator[None]:
    """Keep services that are installed inside the block from starting, now or at boot.

    Existing services stay unchanged.
    """
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
    """Install a policy that forbids service starts, and restore the machine's own policy afterwards.

    A killed run leaves its policy in place and the machine's own beside it; the own policy is restored first.
    """
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
    """Run a command and ignore its result. If the tool does not exist, nothing can start a service either."""
    try:
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return
