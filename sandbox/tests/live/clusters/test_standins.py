"""Go tests of the stand-ins: the device plugin runs against the kubelet side of its API."""

import subprocess
from pathlib import Path

import pytest

from mlp_sandbox.toolchain import ensure_kubernetes, golang
from mlp_sandbox.toolchain.kubernetes import STANDINS


@pytest.mark.timeout(600)
def test_the_device_plugin_registers_announces_and_allocates_as_the_kubelet_expects() -> None:
    go = golang.ensure_go(golang.needed_version(STANDINS.module / "go.mod"), print)
    for command in (["vet", "./..."], ["test", "-count=1", "./..."]):
        done = subprocess.run(
            [go.path, *command],
            cwd=STANDINS.module,
            env=golang.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("program", ["pause", "nvidia-device-plugin"])
def test_they_need_nothing_but_the_kernel(program: str) -> None:
    """Their images contain only the program."""
    content = Path(ensure_kubernetes(print).path(program)).read_bytes()
    assert content.startswith(b"\x7fELF")
    assert b"/lib64/ld-linux" not in content
