"""Mount namespace of a node: its own /sys, control groups and /run, and its folders at the paths of Kubernetes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mlp_sandbox.clusters.nodes.real import cgroups

CGROUPS = Path("/sys/fs/cgroup")


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


def share_inside() -> None:
    """Share mounts between the pods of the node, as pods may request mount propagation. No mount leaves the node."""
    mount("--make-rshared", "/")


def own_sys() -> None:
    """Mount a /sys of this network and control group namespace."""
    found = cgroups.hierarchies()
    mount("-t", "sysfs", "sysfs", "/sys")
    if found[0].version_2:
        mount("-t", "cgroup2", "cgroup2", CGROUPS)
        _leave_root()
        return
    mount("-t", "tmpfs", "-o", "mode=755,size=1m", "tmpfs", CGROUPS)
    for hierarchy in found:
        options = hierarchy.options or ""
        place = CGROUPS / hierarchy.mount.name
        place.mkdir()
        mount("-t", "cgroup", "-o", f"none,{options}" if options.startswith("name=") else options, "cgroup", place)
        for controller in options.split(","):
            if controller != place.name and "=" not in controller:
                (CGROUPS / controller).symlink_to(place.name)


def own_run() -> None:
    """Mount an empty /run, which hides the machine's sockets and removes leftovers of a crash."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("netns", "lock", "containerd"):
        Path("/run", name).mkdir()


def bind(binds: Sequence[tuple[str, str]]) -> None:
    """Bind-mount the sources to the targets.

    Missing targets are created: /etc/resolv.conf may link into the hidden /run.
    """
    for source, target in binds:
        place = Path(target).resolve()
        if Path(source).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        mount("--bind", source, place)


def _leave_root() -> None:
    """Move all processes out of the root group.

    Version 2 enables controllers only for groups whose parent has no processes.
    """
    group = CGROUPS / "init"
    group.mkdir(exist_ok=True)
    for pid in (CGROUPS / "cgroup.procs").read_text().split():
        (group / "cgroup.procs").write_text(pid)
    controllers = (CGROUPS / "cgroup.controllers").read_text().split()
    wanted = [f"+{each}" for each in cgroups.V2_CONTROLLERS if each in controllers]
    (CGROUPS / "cgroup.subtree_control").write_text(" ".join(wanted))


def overlay_works(folder: Path) -> bool:
    """Return True if a folder can hold the upper folder of an overlay. It cannot if it is itself on an overlay."""
    names = [folder / "overlay-try" / name for name in ("lower", "upper", "work", "merged")]
    for name in names:
        name.mkdir(parents=True, exist_ok=True)
    lower, upper, work, merged = names
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    command = 'mount -t overlay -o "$0" overlay "$1" && umount "$1"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command, options, merged], check=False, capture_output=True
    )
    shutil.rmtree(folder / "overlay-try", ignore_errors=True)
    return done.returncode == 0
