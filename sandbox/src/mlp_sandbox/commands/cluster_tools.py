"""Inventory of the tools that emulated EKS clusters need: programs, container images and permissions."""

from __future__ import annotations

from pathlib import Path

from mlp.doctor.entry import ON_PATH, Entry
from mlp.machine.tool import first_line, parse_version, words
from mlp_sandbox.clusters.images import find_images, registry_folder
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import kubernetes
from mlp_sandbox.toolchain.gomodule import GoModule, pinned_version
from mlp_sandbox.toolchain.node_programs import PROGRAMS, NodeProgram, real_node_problems

NO_CLUSTERS = "EKS clusters of the sandbox do not run, so `mlp sandbox demo` cannot finish"
SIMULATED_ONLY = "clusters have simulated nodes only: pods are placed, but no containers run"
INOTIFY_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
# Measured: each containerd, kubelet and container runtime shim of a cluster's three real nodes watches its files.
INOTIFY_PER_CLUSTER = 30
# Go module whose version is reported for each folder of built programs.
VERSIONED = {
    "kubernetes": "k8s.io/kubernetes",
    "kwok": "sigs.k8s.io/kwok",
    "coredns": "github.com/coredns/coredns",
    "metrics-server": "sigs.k8s.io/metrics-server",
    "standins": "k8s.io/kubelet",
}


def cluster_entries() -> list[Entry]:
    return [
        *map(_module, kubernetes.modules()),
        _kubectl(),
        *map(_program, PROGRAMS),
        _images(),
        _real_nodes(),
        _inotify(INOTIFY_INSTANCES),
    ]


def _module(module: GoModule) -> Entry:
    entry = Entry(name=module.name, required=False, without=NO_CLUSTERS, fix="mlp setup")
    folder = module.find()
    if folder is None:
        return entry
    return entry.found(pinned_version(module.module / "go.mod", VERSIONED[module.name]), str(folder), module.origin)


def _kubectl() -> Entry:
    entry = Entry(
        name="kubectl",
        required=False,
        without="clusters cannot be looked into by hand",
        fix="mlp setup, or install one within one minor version of the cluster's",
    )
    module = kubernetes.kubernetes()
    version = pinned_version(module.module / "go.mod", VERSIONED["kubernetes"])
    found = kubernetes.find_kubectl(parse_version(version) or ())
    if found is not None:
        return entry.found(found.version, str(found.path), found.origin)
    folder = module.find()
    return entry.found(version, str(folder / "kubectl"), module.origin) if folder else entry


def _program(program: NodeProgram) -> Entry:
    entry = Entry(
        name=program.package if program.name == "host-local" else program.name,
        required=False,
        without=SIMULATED_ONLY,
        fix=f"as root on Debian: mlp setup; else install {program.package} with your package manager",
    )
    path = program.find()
    if path is None:
        return entry
    said = first_line([path, *program.arguments]) if program.arguments else None
    version = parse_version(said) if said else None
    return entry.found(words(version) if version else said or "installed", str(path), ON_PATH)


def _images() -> Entry:
    try:
        found = find_images()
    except SandboxError as error:
        found, problem = dict[str, str | None](), str(error)
    else:
        missing = [name for name, digest in found.items() if digest is None]
        problem = f"not made yet: {', '.join(missing)}" if missing else ""
    entry = Entry(name="images", required=False, without=SIMULATED_ONLY, fix="as root: mlp setup", problem=problem)
    return entry if problem else entry.found(f"{len(found)} images", str(registry_folder()), "made from packages")


def _real_nodes() -> Entry:
    problems = real_node_problems()
    entry = Entry(
        name="real nodes",
        required=False,
        without=SIMULATED_ONLY,
        fix="run as root on Linux, after `mlp setup` as root",
        problem="; ".join(problems),
    )
    return entry if problems else entry.found("can run", "", "root, and all programs are here")


def _inotify(limit: Path) -> Entry:
    """Return the entry of the kernel's inotify limit.

    Beyond this limit kubelets and containerds end with "too many open files".
    """
    try:
        instances = int(limit.read_text())
    except (OSError, ValueError):
        instances = 0
    clusters = instances // INOTIFY_PER_CLUSTER
    entry = Entry(
        name="inotify",
        required=False,
        without="real nodes end with 'too many open files'",
        fix="as root: sysctl -w fs.inotify.max_user_instances=1024",
        problem=f"{instances} instances, fewer than the {INOTIFY_PER_CLUSTER} of one cluster",
    )
    return entry.found(f"{instances} instances", "", f"enough for about {clusters} clusters") if clusters else entry
