"""Kubernetes' programs: their sources, and the choice of kubectl."""

import re
from pathlib import Path

import pytest

from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import ensure_kubernetes, find_kubernetes, kubernetes
from mlp_sandbox.toolchain.gomodule import GoModule
from sandbox.tests.unit.toolchain.programs import fake_go, program

MODULES = kubernetes.modules()
BUILDS_A_PROGRAM = 'printf "#!/bin/sh\\necho $name\\n" > "$target"; chmod +x "$target"'


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the first folder on PATH, with a working Go. There is no kubectl, and the cache is empty."""
    fake_go(tmp_path / "bin", "1.99.0", BUILDS_A_PROGRAM)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    for tool in ("basename", "chmod"):
        (tmp_path / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    kubernetes.kubectl_version.cache_clear()
    return tmp_path / "bin"


def fake_kubectl(folder: Path, version: str) -> Path:
    return program(folder / "kubectl", f"""echo '{{"clientVersion": {{"gitVersion": "v{version}"}}}}'""")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_command_is_pinned_as_a_tool_of_its_module_or_is_its_own(module: GoModule) -> None:
    go_mod = (module.module / "go.mod").read_text()
    for package in module.commands.values():
        own = package.startswith("./") and (module.module / package / "main.go").is_file()
        assert own or re.search(rf"^(tool |\t){re.escape(package)}$", go_mod, re.MULTILINE), package


def test_the_programs_say_the_version_that_is_pinned() -> None:
    [ldflags] = [flag for flag in kubernetes.kubernetes().flags() if flag.startswith("-s -w")]
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3 " in ldflags
    assert "-X k8s.io/component-base/version.gitMinor=36 " in ldflags


def test_all_programs_are_built_once_and_found_again(path: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert find_kubernetes() is None
    tools = ensure_kubernetes(said.append)
    assert tools.version == "1.36.3"
    for name in ("kube-apiserver", "kubelet", "kubectl", "etcd", "kwok", "coredns", "metrics-server", "pause"):
        assert tools.path(name).is_relative_to(tmp_path / "cache"), name
        assert tools.path(name).name == name
    assert [line for line in said if "Kubernetes 1.36.3 and etcd" in line and "usually" in line]
    (path / "go").unlink()
    assert ensure_kubernetes(pytest.fail) == tools == find_kubernetes()


def test_one_damaged_program_is_not_used_and_only_its_module_is_built_anew(path: Path) -> None:
    tools, said = ensure_kubernetes(print), list[str]()
    tools.path("kwok").write_text("")
    assert find_kubernetes() is None
    assert ensure_kubernetes(said.append) == tools
    assert [line for line in said if line.startswith("Building")] == [line for line in said if "KWOK" in line]


def test_a_program_that_is_not_built_is_named(path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no program 'kubeadm' is built for clusters; there are: kube-apiserver, "):
        ensure_kubernetes(print).path("kubeadm")


@pytest.mark.parametrize(
    ("version", "fits"), [("1.36.0", True), ("1.35.9", True), ("1.37.2", True), ("1.34.1", False), ("1.38.0", False)]
)
def test_a_kubectl_within_one_minor_version_is_used(path: Path, version: str, fits: bool) -> None:
    ours = ensure_kubernetes(print)
    found = fake_kubectl(path, version)
    tool = kubernetes.kubectl(ours)
    assert tool.path == (found if fits else ours.path("kubectl"))
    assert tool.version == (version if fits else "1.36.3")


@pytest.mark.parametrize("reason", ["linked by an emulated account", "does not start", "says no version"])
def test_a_kubectl_that_cannot_be_used_is_passed_over(path: Path, reason: str) -> None:
    fake_kubectl(path, "1.36.3")
    match reason:
        case "does not start":
            program(path / "kubectl", "exit 1")
        case "says no version":
            program(path / "kubectl", "echo '{}'")
        case _:
            (path.parent / "sandbox.json").write_text("{}")
    assert kubernetes.find_kubectl((1, 36)) is None
