"""Tools of sandbox tests: a running sandbox, small programs in it, and waiting on conditions."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.environment import REGION, process_environment
from mlp_sandbox.instance import PROJECT, Instance
from mlp_sandbox.toolchain import find_kubernetes

MakeBox = Callable[..., "Box"]
PROGRAM_HEAD = """
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
provider = aws.Provider("aws", region="us-east-1", default_tags={"tags": {"environment": "test"}})
options = pulumi.ResourceOptions(provider=provider)
"""


def free_port() -> int:
    """Return a free port below the range from which the kernel takes client ports.

    A port of that range may not be free again after a restart.
    """
    while True:
        port = random.randrange(20000, 32000)  # noqa: S311 - a port is no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


@dataclass(frozen=True)
class Box:
    """Running sandbox, and the commands that a user would type in it."""

    instance: Instance
    binary: Path

    def environment(self, **extra: str) -> dict[str, str]:
        return {**process_environment(self.instance), "MLP_SANDBOX_HOME": str(self.instance.home.parent), **extra}

    def run(
        self, *command: str, cwd: Path = PROJECT, ok: bool = True, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=cwd, env=self.environment(**extra), capture_output=True, text=True, timeout=500, check=False
        )
        if ok and done.returncode:
            pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def pulumi(self, *arguments: str, cwd: Path = PROJECT, ok: bool = True, **extra: str) -> str:
        """Run the engine and return its standard output and error together; ok=False accepts any exit code."""
        done = self.run("pulumi", *arguments, "--non-interactive", "--color=never", cwd=cwd, ok=ok, **extra)
        return done.stdout + done.stderr

    def mlp(self, *arguments: str, ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        return self.run("mlp", *arguments, cwd=PROJECT, ok=ok, **extra)

    def start(self, *command: str, cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.instance.endpoint,
            region_name=REGION,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106 - the emulated account takes any
        )

    def up(self) -> lifecycle.Status:
        kubernetes = find_kubernetes()
        kubectl = kubernetes.path("kubectl") if kubernetes else None
        return lifecycle.up(self.instance, self.binary, lambda _line: None, kubectl)

    def kubectl(self, *arguments: str, ok: bool = True) -> str:
        """Run kubectl as the principal of the environment; return its standard output and error together."""
        done = self.run("kubectl", *arguments, ok=ok)
        return done.stdout + done.stderr

    def export(self, stack: str, cwd: Path = PROJECT) -> list[dict[str, Any]]:
        done = self.run("pulumi", "stack", "export", "--stack", stack, "--non-interactive", cwd=cwd)
        return list(json.loads(done.stdout)["deployment"].get("resources", []))


@dataclass(frozen=True)
class Program:
    """Small Pulumi project of one test, with one stack `test`."""

    box: Box
    folder: Path

    def write(self, source: str) -> None:
        (self.folder / "__main__.py").write_text(PROGRAM_HEAD + textwrap.dedent(source))

    def pulumi(self, *arguments: str, ok: bool = True, **extra: str) -> str:
        return self.box.pulumi(*arguments, "--stack", "test", cwd=self.folder, ok=ok, **extra)

    def up(self, ok: bool = True) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", ok=ok)

    def preview(self, *arguments: str, ok: bool = True, **extra: str) -> str:
        return self.pulumi("preview", *arguments, ok=ok, **extra)

    def resources(self, type: str) -> list[dict[str, Any]]:
        return [r for r in self.box.export("test", self.folder) if r["type"] == type]

    def only(self, type: str) -> dict[str, Any]:
        (found,) = self.resources(type)
        return found


def eventually(question: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Ask until the answer is true and return it; fail the test with `what` at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.1)
    pytest.fail(f"not within {seconds:.0f} s: {what}")


def new_program(box: Box, folder: Path) -> Program:
    folder.mkdir(parents=True, exist_ok=True)
    project = f"probe-{folder.name[-20:].replace('_', '-').strip('-').lower()}"
    (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
    program = Program(box, folder)
    box.pulumi("stack", "init", "test", cwd=folder)
    return program
