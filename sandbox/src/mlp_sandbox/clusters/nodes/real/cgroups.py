"""Control group of a node in every hierarchy, which accounts for its processes and ends them.

The module supports versions 1 and 2 of the interface. The group is below the root of the mounted hierarchy and not
below this process's group, because that one ends with the program that started this process.
https://docs.kernel.org/admin-guide/cgroup-v1/cgroups.html, https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox.errors import SandboxError

V2_CONTROLLERS = ("cpu", "cpuset", "io", "memory", "pids")
PODS_GROUP = "kubepods"
_GONE_SECONDS = 20.0


@dataclass(frozen=True)
class Hierarchy:
    """Mounted hierarchy. `options` are the controllers or the name of a version 1 hierarchy, as mount takes them."""

    mount: Path
    options: str | None

    @property
    def version_2(self) -> bool:
        return self.options is None


def hierarchies(mountinfo: str | None = None) -> list[Hierarchy]:
    """Return the mounted hierarchies.

    If version 1 hierarchies exist, a version 2 hierarchy beside them has no controllers and is left out.
    """
    text = Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo
    first: list[Hierarchy] = []
    second: list[Hierarchy] = []
    for line in text.splitlines():
        front, _, back = line.partition(" - ")
        kind, _, rest = back.partition(" ")
        mount = Path(front.split()[4])
        if kind == "cgroup2":
            second.append(Hierarchy(mount, None))
        elif kind == "cgroup":
            words = rest.split()[-1].split(",")
            first.append(Hierarchy(mount, ",".join(each for each in words if each not in ("rw", "ro", "xattr"))))
    unique = {each.options: each for each in first}  # a hierarchy can be mounted twice
    return list(unique.values()) or second[:1]


def create(name: str) -> None:
    """Create the group in every hierarchy. Raises SandboxError."""
    found = hierarchies()
    if not found:
        raise SandboxError(
            "no control groups are mounted below /sys/fs/cgroup: real nodes need them; mount cgroup2 there"
        )
    for hierarchy in found:
        try:
            if hierarchy.version_2:
                _delegate(hierarchy.mount)
            group = hierarchy.mount / name
            group.mkdir(exist_ok=True)
            if "cpuset" in (hierarchy.options or "").split(","):
                _copy_cpuset(hierarchy.mount, group)
        except OSError as error:
            raise SandboxError(
                f"no control group {name} in {hierarchy.mount} ({error.strerror}): real nodes need a machine, or a "
                "container started as privileged with its own cgroup namespace, whose control groups root may change"
            ) from error


def make_pods_group() -> None:
    """Create the group for all pods inside the node's namespace, before the kubelet does.

    The kubelet would give it as many processors as the node announces, and fail to start on a machine with fewer.
    """
    for hierarchy in hierarchies():
        group = hierarchy.mount / PODS_GROUP
        group.mkdir(exist_ok=True)
        if "cpuset" in (hierarchy.options or "").split(","):
            _copy_cpuset(hierarchy.mount, group)


def enter(name: str) -> None:
    """Move the calling process into the group."""
    for hierarchy in hierarchies():
        (hierarchy.mount / name / "cgroup.procs").write_text("0")


def processes(name: str) -> list[int]:
    """Return the pids of all processes in the group and its subgroups."""
    pids: set[int] = set()
    for hierarchy in hierarchies():
        for folder in _tree(hierarchy.mount / name):
            try:
                pids.update(int(pid) for pid in (folder / "cgroup.procs").read_text().split())
            except (OSError, ValueError):
                continue
    return sorted(pids)


def remove(name: str) -> None:
    """Kill the remaining processes of the group and remove it. Raises SandboxError."""
    deadline = time.monotonic() + _GONE_SECONDS
    while left := [pid for pid in processes(name) if pid > 0]:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise SandboxError(f"processes {left[:5]} of control group {name} do not end; see their state with ps")
        time.sleep(0.05)
    for hierarchy in hierarchies():
        while not _remove_tree(hierarchy.mount / name):
            if time.monotonic() > deadline:
                raise SandboxError(f"control group {hierarchy.mount / name} cannot be removed; try again")
            time.sleep(0.05)


def _tree(group: Path) -> Iterator[Path]:
    """Yield the group and its subgroups, the deepest first."""
    for folder, _, _ in os.walk(group, topdown=False):
        yield Path(folder)


def _remove_tree(group: Path) -> bool:
    for folder in _tree(group):
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def _delegate(root: Path) -> None:
    """Enable controllers for groups below the root. Fails with EBUSY if the root itself contains processes."""
    control = root / "cgroup.subtree_control"
    there = (root / "cgroup.controllers").read_text().split()
    wanted = [f"+{each}" for each in V2_CONTROLLERS if each in there and each not in control.read_text().split()]
    if wanted:
        control.write_text(" ".join(wanted))


def _copy_cpuset(parent: Path, group: Path) -> None:
    # A new version 1 group has no processors, and no process can be moved into it.
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not (group / name).read_text().strip():
            (group / name).write_text((parent / name).read_text())
