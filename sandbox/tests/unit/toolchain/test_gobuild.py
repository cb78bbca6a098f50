"""Builds with Go: progress, the compiler's last output, and the error on a full disk."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlp.machine.tool import Tool
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT
from mlp_sandbox.toolchain import gobuild, progress
from sandbox.tests.unit.toolchain.programs import fake_go


def tool(path: Path) -> Tool:
    return Tool("go", path, "1.26.6", "test")


def test_the_commands_are_built_under_their_names_and_nothing_else_is_left_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    commands = {"kubelet": "example.com/cmd/kubelet", "etcd": "example.com/etcd/server/v3"}
    go = fake_go(tmp_path, "1.26.6", 'printf "built $name" > "$target"')
    gobuild.build(tool(go), tmp_path, commands, ["-trimpath"], folder, print)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "kubelet": "built kubelet",
        "etcd": "built server",
    }


@pytest.mark.parametrize(("given", "used"), [(None, "400"), ("50", "50")])
def test_the_compiler_may_use_memory_unless_the_user_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None, used: str
) -> None:
    monkeypatch.delenv("GOGC", raising=False)
    if given:
        monkeypatch.setenv("GOGC", given)
    go = fake_go(tmp_path, "1.26.6", 'printf %s "$GOGC" > "$target"')
    gobuild.build(tool(go), tmp_path, {"etcd": "example.com/etcd"}, [], tmp_path, print)
    assert (tmp_path / "etcd").read_text() == used


@pytest.mark.parametrize(
    ("package", "name"), [("a.io/cmd/kwok", "kwok"), ("./pause", "pause"), ("a.io/server/v3", "server"), ("v2", "v2")]
)
def test_a_command_has_the_name_that_go_gives_it(package: str, name: str) -> None:
    assert gobuild.default_name(package) == name


def test_progress_counts_packages_of_all_that_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REPORT_SECONDS", 0.2)
    said: list[str] = []
    go = fake_go(tmp_path, "1.26.6", 'sleep 1; printf built > "$target"')
    gobuild.build(tool(go), tmp_path, {"pulumi": "example.com/pulumi"}, [], tmp_path, said.append)
    assert any(re.search(r"2 of at most 3 packages compiled after \d+ s", line) for line in said), said


def test_a_failed_build_ends_with_the_compilers_words(tmp_path: Path) -> None:
    go = fake_go(tmp_path, "1.26.6", "echo 'main.go:3: undefined: x' >&2; exit 1")
    with pytest.raises(SandboxError, match=r"`go build -v` in .* exit code 1:\n(.*\n)*main.go:3: undefined: x"):
        gobuild.build(tool(go), tmp_path, {"pulumi": "example.com/pulumi"}, [], tmp_path, print)


def test_a_full_disk_is_an_error_of_the_disk(tmp_path: Path) -> None:
    go = fake_go(tmp_path, "1.26.6", "echo 'write /x: no space left on device' >&2; exit 1")
    with pytest.raises(OSError, match="No space left on device"):
        gobuild.build(tool(go), tmp_path, {"pulumi": "example.com/pulumi"}, [], tmp_path, print)


def test_a_go_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"/nowhere/go cannot be started; install Go"):
        gobuild.build(tool(Path("/nowhere/go")), tmp_path, {"pulumi": "example.com/pulumi"}, [], tmp_path, print)


def test_ctrl_c_stops_the_build_that_is_running(tmp_path: Path) -> None:
    go = fake_go(tmp_path, "1.26.6", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    script = f"""
from pathlib import Path
from mlp_sandbox.toolchain import gobuild
from mlp.machine.tool import Tool
folder = Path({str(tmp_path)!r})
gobuild.build(Tool("go", Path({str(go)!r}), "1", ""), folder, {{"out": "x"}}, [], folder, print)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 20
        while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text().strip():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert time.monotonic() - started < 15
    assert process.returncode != 0
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/cmdline").exists()
