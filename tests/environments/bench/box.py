"""A sandbox for one benchmark run, with its own folder and port; it is removed at the end in every case."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlp_sandbox import lifecycle, processes
from mlp_sandbox.engine.install import install_plugin
from mlp_sandbox.environment import process_environment
from mlp_sandbox.instance import PROJECT, Instance
from mlp_sandbox.toolchain import ensure_pulumi
from tests.environments.bench.measure import MIB, Sample, resident, run
from tests.environments.bench.programs import BARE_VERSION


@dataclass(frozen=True)
class BenchBox:
    instance: Instance
    binary: Path

    def up(self) -> None:
        lifecycle.up(self.instance, self.binary, _silent)
        install_plugin(self.instance, "bare", BARE_VERSION, "tests.environments.bench.bare")

    def renew(self) -> None:
        """Reset to an empty account without state, as at the start."""
        lifecycle.reset(self.instance)
        self.up()

    def pulumi(self, *arguments: str, cwd: Path = PROJECT) -> Sample:
        command = [self.instance.bin / "pulumi", *arguments, "--non-interactive", "--color=never"]
        environment = {**process_environment(self.instance), "MLP_SANDBOX_HOME": str(self.instance.home.parent)}
        return run(command, cwd=cwd, env=environment)

    def emulator_mib(self) -> float:
        """Return the emulator's current memory in MiB, without its databases."""
        pid = processes.running(self.instance.home / "emulator.pid")
        return resident(pid) / MIB if pid else 0.0


@contextmanager
def open_box(report: Callable[[str], None]) -> Generator[BenchBox]:
    """Yield a sandbox, and remove it afterwards, also after SIGTERM or Ctrl-C."""
    binary = ensure_pulumi(report).path
    root = Path(tempfile.mkdtemp(prefix="mlp-bench-"))
    root.chmod(0o755)  # PostgreSQL runs as another user
    before = os.environ.get("MLP_SANDBOX_HOME")
    os.environ["MLP_SANDBOX_HOME"] = str(root)
    box = BenchBox(Instance("bench", _free_port(), root / "bench", "simulated"), binary)
    try:
        box.up()
        yield box
    finally:
        lifecycle.down(box.instance)
        shutil.rmtree(root, ignore_errors=True)
        if before is None:
            del os.environ["MLP_SANDBOX_HOME"]
        else:
            os.environ["MLP_SANDBOX_HOME"] = before


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _silent(_line: str) -> None:
    pass
