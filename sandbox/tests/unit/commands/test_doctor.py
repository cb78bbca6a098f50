"""`mlp doctor` with the sandbox: installed parts, missing parts, and the consequences."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlp.app import make_app
from mlp.doctor import inventory
from mlp.doctor.inventory import take_inventory
from mlp.machine.tool import words
from mlp_sandbox.clusters.folder import MARK
from mlp_sandbox.commands import cluster_tools
from mlp_sandbox.commands import tools as sandbox_tools
from mlp_sandbox.toolchain import kubernetes, node_programs, pulumi
from sandbox.tests.unit.toolchain.programs import fake_go, fake_pulumi, program

TOOLS = ["python", "requirements", "pulumi", "aws", "git", "terraform", "language host", "go", "postgresql"]
BUILT = ["kubernetes", "kwok", "coredns", "metrics-server", "standins"]
CONTAINERS = [
    *("containerd", "runc", "containernetworking-plugins", "nft", "iptables", "conntrack", "ip"),
    *("buildah", "debootstrap", "docker-registry"),
]
NEEDED = words(pulumi.required_version())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH. The cache is empty, PostgreSQL is missing, requirements are in step."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sandbox_tools, "installed", list[Any])
    monkeypatch.setattr(node_programs, "FOLDERS", ())
    monkeypatch.setattr(inventory.virtual_environment, "in_step", lambda root: True)
    return tmp_path / "bin"


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), ["doctor", *arguments], env={"COLUMNS": "200"})


def tools(done: Result) -> dict[str, dict[str, Any]]:
    return {tool["name"]: tool for tool in json.loads(done.stdout)["tools"]}


def test_a_bare_machine_is_told_what_is_missing_and_what_that_means(machine: Path) -> None:
    done = doctor()
    assert done.exit_code == 1
    assert "1 required missing" in done.output
    for tool in ("pulumi", "go", "postgresql", "git", "terraform"):
        assert f"{tool}: missing; " in done.output
    assert "nothing can be previewed or deployed. To mend it: mlp setup" in done.output


def test_only_what_is_required_decides_the_exit_code(machine: Path) -> None:
    fake_pulumi(machine, f"v{NEEDED}")
    done = doctor()
    assert done.exit_code == 0
    assert "Everything required is here" in done.output
    assert "terraform: missing; " in done.output


def test_every_tool_comes_with_its_version_and_where_it_came_from(machine: Path) -> None:
    fake_pulumi(machine, f"v{NEEDED}")
    fake_go(machine, "1.27.1")
    program(machine / "git", "echo git version 2.39.5")
    program(machine / "terraform", "echo Terraform v1.11.4")
    found = tools(doctor("--json"))
    assert list(found) == [*TOOLS, *BUILT, "kubectl", *CONTAINERS, "images", "real nodes", "inotify"]
    assert (found["pulumi"]["version"], found["pulumi"]["origin"]) == (NEEDED, "found on PATH")
    assert found["language host"]["path"] == str(machine / "pulumi-language-python")
    assert found["go"]["path"] == str(machine / "go")
    assert found["git"]["version"] == "2.39.5"
    assert found["terraform"]["version"] == "1.11.4"
    assert not found["aws"]["missing"]


def test_an_engine_that_is_too_old_counts_as_missing(machine: Path) -> None:
    fake_pulumi(machine, "v3.1.0")
    done = doctor("--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["ok"] is False
    assert tools(done)["pulumi"]["missing"]


def test_a_tool_that_does_not_start_is_missing(machine: Path) -> None:
    program(machine / "git", "exit 127")
    assert tools(doctor("--json"))["git"]["missing"]


def test_looking_changes_nothing(machine: Path, tmp_path: Path) -> None:
    doctor()
    assert not (tmp_path / "cache").exists()


def test_every_tool_says_what_fails_without_it() -> None:
    for entry in take_inventory(print):
        assert entry.without, entry.name
        assert entry.fix, entry.name


def test_without_kubernetes_and_container_programs_it_is_said_that_nodes_are_simulated(machine: Path) -> None:
    done = doctor()
    for tool in (*BUILT, *CONTAINERS):
        assert f"{tool}: missing; " in done.output
    assert "kubernetes: missing; EKS clusters of the sandbox do not run" in done.output
    assert "runc: missing; clusters have simulated nodes only: pods are placed, but no containers run" in done.output
    assert "images: not made yet: pause, " in done.output
    assert "real nodes: " in done.output
    assert "not installed: containerd, runc, " in done.output


def test_without_root_real_nodes_cannot_run(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in node_programs.PROGRAMS:
        program(machine / each.name, f"echo {each.name} version 1.2.3")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = tools(doctor("--json"))
    assert {name: found[name]["version"] for name in CONTAINERS} == {
        name: "installed" if name == "containernetworking-plugins" else "1.2.3" for name in CONTAINERS
    }
    assert found["real nodes"]["missing"]
    assert found["real nodes"]["problem"] == "not root"


@pytest.mark.parametrize(
    ("limit", "missing", "said"),
    [("128\n", False, "enough for about 4 clusters"), ("16\n", True, "16 instances, fewer than the 30 of one cluster")],
)
def test_the_kernels_limit_of_watches_is_counted_in_clusters(
    machine: Path, monkeypatch: pytest.MonkeyPatch, limit: str, missing: bool, said: str
) -> None:
    file = machine.parent / "max_user_instances"
    file.write_text(limit)
    monkeypatch.setattr(cluster_tools, "INOTIFY_INSTANCES", file)
    found = tools(doctor("--json"))["inotify"]
    assert found["missing"] is missing
    assert said in json.dumps(found)


def test_root_with_all_programs_can_run_real_nodes(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in node_programs.PROGRAMS:
        program(machine / each.name, "echo 1.2.3")
    program(machine / "unshare", "echo ok")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tools(doctor("--json"))["real nodes"]["version"] == "can run"


@pytest.mark.parametrize(("version", "fits"), [("1.36.1", True), ("1.32.4", False)])
def test_a_kubectl_that_does_not_fit_the_clusters_does_not_count(machine: Path, version: str, fits: bool) -> None:
    kubernetes.kubectl_version.cache_clear()
    program(machine / "kubectl", f"""echo '{{"clientVersion": {{"gitVersion": "v{version}"}}}}'""")
    assert tools(doctor("--json"))["kubectl"]["missing"] != fits


def test_what_deleted_sandboxes_left_is_removed_and_said_beside_the_answer(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deleted" / "aws" / "eks" / "c"
    folder.mkdir(parents=True)
    with subprocess.Popen(["/bin/sleep", "600"], env={MARK: str(folder)}) as left:
        shutil.rmtree(tmp_path / "deleted")
        answer = doctor("--json")
        assert left.wait(10) is not None
    assert tools(answer)
    assert f"Removing process {left.pid} of {folder}" in answer.stderr
