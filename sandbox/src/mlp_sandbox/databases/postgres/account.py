"""Operating-system account of the servers, because PostgreSQL does not run as root.

For root it is Debian's `postgres`. The account needs no access to the folders above its data directory, which are often
closed (/root is): a server gets its data directory as an open file descriptor, see `DirectoryHandle`.
"""

import os
import pwd
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from mlp_sandbox.databases.postgres.errors import DataPlaneError

SERVICE_USER: Final = "postgres"


class SpawnOptions(TypedDict, total=False):
    """Options with which `subprocess` starts a child as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """Account that servers run as; `switch` is true when it is not the account of this process."""

    name: str
    uid: int
    gid: int
    switch: bool

    def spawn_options(self) -> SpawnOptions:
        return SpawnOptions(user=self.uid, group=self.gid, extra_groups=[]) if self.switch else SpawnOptions()

    def write(self, path: Path, content: str | bytes, mode: int = 0o600) -> None:
        """Write a file of the account in one step. A link at `path` is replaced and not followed."""
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            os.fchmod(descriptor, mode)
            if self.switch:
                os.fchown(descriptor, self.uid, self.gid)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)

    def make_directory(self, path: Path) -> None:
        path.mkdir(mode=0o700)
        if self.switch:
            os.chown(path, self.uid, self.gid)


def service_account() -> ServiceAccount:
    """Return the account that servers run as on this machine.

    Raises:
        DataPlaneError: the machine has no such account.
    """
    uid = os.geteuid()
    wanted: int | str = SERVICE_USER if uid == 0 else uid
    try:
        entry = pwd.getpwnam(SERVICE_USER) if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        raise DataPlaneError(
            f"no account {wanted!r} on this machine, and PostgreSQL does not run as root or as an unnamed user; "
            "on Debian: apt-get install postgresql"
        ) from None
    return ServiceAccount(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, switch=uid == 0)


@dataclass(frozen=True, kw_only=True)
class DirectoryHandle:
    """Open directory with a path that needs no access to its parents and is short enough for a socket."""

    descriptor: int

    @property
    def path(self) -> str:
        return f"/proc/self/fd/{self.descriptor}"


@contextmanager
def open_directory(path: Path) -> Generator[DirectoryHandle]:
    """Keep a directory open. A child that gets `descriptor` with `pass_fds` can use the same `path`."""
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
    try:
        yield DirectoryHandle(descriptor=descriptor)
    finally:
        os.close(descriptor)
