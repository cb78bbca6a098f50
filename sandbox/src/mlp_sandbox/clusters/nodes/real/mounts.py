"""The mount namespace of a node: its own /sys, control groups, /run, and its folders where Kubernetes expects them."""

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
    """Pods may ask for mounts to reach them (or others): mounts travel between them, and none leaves the node."""
    mount("--make-rshared", "/")


def own_sys() -> None:
    """/sys as this network and control group namespace has it."""
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
    """An empty /run: the machine's sockets are not the node's, and what was there before a crash is gone."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("netns", "lock", "containerd"):
        Path("/run", name).mkdir()


def bind(binds: Sequence[tuple[str, str]]) -> None:
    """Targets are made where they are missing: /etc/resolv.conf may be a link into the /run that was."""
    for source, target in binds:
        place = Path(target).resolve()
        if Path(source).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        mount("--bind", source, place)


def _leave_root() -> None:
    """Version 2 gives controllers only to groups whose parent holds no process."""
    group = CGROUPS / "init"
    group.mkdir(exist_ok=True)
    for pid in (CGROUPS / "cgroup.procs").read_text().split():
        (group / "cgroup.procs").write_text(pid)
    controllers = (CGROUPS / "cgroup.controllers").read_text().split()
    wanted = [f"+{each}" for each in cgroups.V2_CONTROLLERS if each in controllers]
    (CGROUPS / "cgroup.subtree_control").write_text(" ".join(wanted))


def overlay_works(folder: Path) -> bool:
    """Whether an overlay can have its upper folder there: it cannot on another overlay."""
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
