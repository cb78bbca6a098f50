"""Debian packages with which real nodes run and images are made, and the check that this machine can run real nodes."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from mlp.machine.tool import first_line

# Debian's folders for them, also for users whose PATH has no sbin folders.
FOLDERS = ("/usr/sbin", "/sbin", "/usr/lib/cni")


@dataclass(frozen=True)
class NodeProgram:
    """Program from a Debian package. With `arguments` it prints its version; a program without them has no version."""

    name: str
    package: str
    arguments: tuple[str, ...] = ()

    def find(self) -> Path | None:
        found = shutil.which(self.name, path=os.pathsep.join([*os.get_exec_path(), *FOLDERS]))
        return Path(found) if found else None


PROGRAMS = (
    NodeProgram("containerd", "containerd", ("--version",)),
    NodeProgram("runc", "runc", ("--version",)),
    # One plugin stands for all of them (`bridge` is also a program of iproute2).
    NodeProgram("host-local", "containernetworking-plugins"),
    NodeProgram("nft", "nftables", ("--version",)),
    NodeProgram("iptables", "iptables", ("--version",)),
    NodeProgram("conntrack", "conntrack", ("--version",)),
    NodeProgram("ip", "iproute2", ("-Version",)),
    NodeProgram("buildah", "buildah", ("--version",)),
    NodeProgram("debootstrap", "debootstrap", ("--version",)),
    NodeProgram("docker-registry", "docker-registry", ("--version",)),
)
# The package has no program, but the keys with which debootstrap verifies packages; Debian itself always has it.
EXTRA_PACKAGES = {"debootstrap": ("debian-archive-keyring",)}


def missing_packages() -> list[str]:
    packages = [program.package for program in PROGRAMS if program.find() is None]
    return [part for package in packages for part in (package, *EXTRA_PACKAGES.get(package, ()))]


def real_node_problems() -> list[str]:
    """Return why this machine can run simulated nodes only; empty when it can run real ones."""
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
