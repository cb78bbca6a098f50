"""`mlp setup` as a process: a second run finds the results of the first one."""

import subprocess
import sys

import pytest

from mlp_sandbox.instance import PROJECT
from mlp_sandbox.toolchain.node_programs import real_node_problems


def run() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlp", "setup"], cwd=PROJECT, capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(1800)
def test_a_second_set_up_makes_nothing() -> None:
    first = run()
    assert first.returncode == 0, first.stdout + first.stderr
    second = run()
    assert second.returncode == 0, second.stderr
    done = [line for line in second.stdout.splitlines() if line.startswith("==>")]
    # Where there are no real nodes, one more line says so.
    assert len(done) == (2 if real_node_problems() else 1), second.stdout
    assert "Kubernetes 1.36.3, built from sandbox/toolchain/kubernetes" in done[-1]
