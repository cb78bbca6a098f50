"""Detection of whether real nodes can run here, and of missing programs."""

import os
from pathlib import Path

import pytest

from mlp_sandbox.toolchain import node_programs
from mlp_sandbox.toolchain.node_programs import PROGRAMS, missing_packages, real_node_problems
from sandbox.tests.unit.toolchain.programs import program


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that holds all programs of a machine on which the user is root."""
    for each in PROGRAMS:
        program(tmp_path / each.name, "echo 1.2.3")
    program(tmp_path / "unshare", "echo ok")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node_programs, "FOLDERS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_root_with_all_programs_runs_real_nodes(machine: Path) -> None:
    assert missing_packages() == []
    assert real_node_problems() == []


def test_missing_programs_are_named_by_the_packages_that_hold_them(machine: Path) -> None:
    (machine / "host-local").unlink()
    (machine / "debootstrap").unlink()
    assert missing_packages() == ["containernetworking-plugins", "debootstrap", "debian-archive-keyring"]
    assert real_node_problems() == ["not installed: containernetworking-plugins, debootstrap, debian-archive-keyring"]


def test_programs_of_root_are_found_by_users_without_its_path(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(node_programs, "FOLDERS", (str(machine),))
    assert missing_packages() == []


def test_without_root_nodes_are_simulated(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert real_node_problems() == ["not root"]


def test_a_root_that_may_not_make_namespaces_is_told(machine: Path) -> None:
    program(machine / "unshare", "echo 'unshare failed: Operation not permitted' >&2; exit 1")
    [problem] = real_node_problems()
    assert "may not make namespaces" in problem


def test_other_systems_have_no_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_programs.sys, "platform", "darwin")
    assert real_node_problems() == ["containers need Linux, and this is darwin"]
