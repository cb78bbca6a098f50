"""What real nodes and images are run and made with, from Debian packages; and whether this machine can run them."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from mlp.machine.tool import first_line

# Where Debian has them, also for users whose PATH has no sbin folders.
FOLDERS = ("/usr/sbin", "/sbin", "/usr/lib/cni")


@dataclass(frozen=True)
class NodeProgram:
    """`arguments` make it say its version; a program without them says none."""

    name: str
    package: str
    arguments: tuple[str, ...] = ()

    def find(self) -> Path | None:
        found = shutil.which(self.name, path=os.pathsep.join([*os.get_exec_path(), *FOLDERS]))
        return Path(found) if found else None


PROGRAMS = (
    NodeProgram("containerd", "containerd", ("--version",)),
    NodeProgram("runc", "runc", ("--version",)),
    # One of the plugins stands for them all (`bridge` is also a program of iproute2).
    NodeProgram("host-local", "containernetworking-plugins"),
    NodeProgram("nft", "nftables", ("--version",)),
    NodeProgram("iptables", "iptables", ("--version",)),
    NodeProgram("conntrack", "conntrack", ("--version",)),
    NodeProgram("ip", "iproute2", ("-Version",)),
    NodeProgram("buildah", "buildah", ("--version",)),
    NodeProgram("debootstrap", "debootstrap", ("--version",)),
    NodeProgram("docker-registry", "docker-registry", ("--version",)),
)
# No program of its own, but the keys that debootstrap checks with; Debian itself always has it.
EXTRA_PACKAGES = {"debootstrap": ("debian-archive-keyring",)}


def missing_packages() -> list[str]:
    packages = [program.package for program in PROGRAMS if program.find() is None]
    return [part for package in packages for part in (package, *EXTRA_PACKAGES.get(package, ()))]


def real_node_problems() -> list[str]:
    """Why this machine runs simulated nodes only; empty when it can run real ones."""
    if sys.platform != "linux":
        return [f"containers need Linux, and this is {sys.platform}"]
    problems = []
    if os.geteuid() != 0:
        problems.append("not root")
    elif first_line(["unshare", "--mount", "--net", "--pid", "--fork", "echo", "ok"]) is None:
        problems.append("this root may not make namespaces, as in a container without privileges")
    if packages := missing_packages():
        problems.append(f"not installed: {', '.join(packages)}")
    return problems
