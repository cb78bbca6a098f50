"""Kubernetes and the programs that its clusters need beside it, built from pinned Go modules: one cache entry each."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlp.machine.tool import Tool, Version, parse_version, words
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain.gomodule import MODULES, GoModule, pinned_version

CONTROL_PLANE_AND_NODE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


@dataclass(frozen=True, kw_only=True)
class KubernetesTools:
    """Programs of a cluster.

    `version` is that of Kubernetes, such as 1.36.3; `origins` has the origin of every program.
    """

    version: str
    programs: Mapping[str, Path]
    origins: Mapping[str, str]

    def path(self, name: str) -> Path:
        if name not in self.programs:
            raise SandboxError(f"no program {name!r} is built for clusters; there are: {', '.join(self.programs)}")
        return self.programs[name]


def kubernetes() -> GoModule:
    pinned = pinned_version(MODULES / "kubernetes" / "go.mod", "k8s.io/kubernetes")
    return GoModule(
        name="kubernetes",
        title=f"Kubernetes {pinned} and etcd",
        usually="4 to 8 minutes",
        commands={
            **{name: f"k8s.io/kubernetes/cmd/{name}" for name in (*CONTROL_PLANE_AND_NODE, "kubectl")},
            "etcd": "go.etcd.io/etcd/server/v3",
        },
        stamps=_version_stamps(pinned),
    )


KWOK = GoModule(
    name="kwok",
    title="KWOK, which simulates nodes",
    usually="1 to 2 minutes",
    commands={"kwok": "sigs.k8s.io/kwok/cmd/kwok"},
)
COREDNS = GoModule(
    name="coredns",
    title="CoreDNS",
    usually="1 to 2 minutes",
    commands={"coredns": "github.com/coredns/coredns"},
)
STANDINS = GoModule(
    name="standins",
    title="the stand-ins for the device plugin and the pause container",
    usually="1 minute",
    commands={"nvidia-device-plugin": "./nvidia-device-plugin", "pause": "./pause"},
    sources=("**/*.go",),
)


def metrics_server() -> GoModule:
    return GoModule(
        name="metrics-server",
        title="metrics-server",
        usually="1 to 2 minutes",
        commands={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
        stamps=_version_stamps(pinned_version(MODULES / "metrics-server" / "go.mod", "sigs.k8s.io/metrics-server")),
    )


def modules() -> tuple[GoModule, ...]:
    return kubernetes(), KWOK, COREDNS, metrics_server(), STANDINS


def find_kubernetes() -> KubernetesTools | None:
    """Return the programs without building anything; None unless every program is there and intact."""
    found = {module.name: module.find() for module in modules()}
    folders = {name: folder for name, folder in found.items() if folder is not None}
    return _tools(folders) if len(folders) == len(found) else None


def ensure_kubernetes(report: Callable[[str], None]) -> KubernetesTools:
    """Return the programs; build those that are missing.

    Raises:
        SandboxError: a program cannot be built.
    """
    return _tools({module.name: module.ensure(report) for module in modules()})


def find_kubectl(server: Version) -> Tool | None:
    """Return the first kubectl on PATH within one minor version of the API server.

    A kubectl that a sandbox linked there does not count. https://kubernetes.io/releases/version-skew-policy/#kubectl
    """
    for folder in os.get_exec_path():
        executable = Path(folder) / "kubectl"
        if (Path(folder).parent / "sandbox.json").is_file() or not os.access(executable, os.X_OK):
            continue
        version = kubectl_version(executable)
        if version is not None and version[0] == server[0] and abs(version[1] - server[1]) <= 1:
            return Tool("kubectl", executable, words(version), "found on PATH")
    return None


def kubectl(tools: KubernetesTools) -> Tool:
    """Return the kubectl on PATH when its version fits, else the built one."""
    return find_kubectl(parse_version(tools.version) or ()) or Tool(
        "kubectl", tools.path("kubectl"), tools.version, tools.origins["kubectl"]
    )


@cache
def kubectl_version(executable: Path) -> Version | None:
    """Return the version that kubectl reports without a cluster; None when it does not start."""
    try:
        done = subprocess.run(
            [executable, "version", "--client", "--output=json"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "KUBECONFIG": os.devnull},
        )
        version = parse_version(json.loads(done.stdout)["clientVersion"]["gitVersion"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    return version if version and len(version) > 1 else None


def _version_stamps(version: str) -> dict[str, str]:
    """Return the variables that Kubernetes' own build scripts set; programs without them report v0.0.0-master."""
    major, minor, *_ = version.split(".")
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return {f"{package}.{name}": value for package in VERSION_PACKAGES for name, value in values.items()}


def _tools(folders: Mapping[str, Path]) -> KubernetesTools:
    built = [(module, name) for module in modules() for name in module.commands]
    return KubernetesTools(
        version=pinned_version(MODULES / "kubernetes" / "go.mod", "k8s.io/kubernetes"),
        programs={name: folders[module.name] / name for module, name in built},
        origins={name: module.origin for module, name in built},
    )
