"""A real emulator process for tests, with boto3 clients that never retry."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "123456789012"
REGION = "us-east-1"
ROOT = Path(__file__).parents[4]
CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """One home directory and, while started, the process that serves it."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.with_suffix(".log")

    def launch(self, *options: str, before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mlp_sandbox.emulator", "--home", str(self.home), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--no-dataplanes", *options], cwd=ROOT, stderr=log, stdout=log, preexec_fn=before
            )
        return self.process

    def start(self, *options: str, before: Callable[[], None] | None = None) -> "Running":
        process = self.launch(*options, before=before)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(f"the emulator ended with {process.returncode}:\n{self.log.read_text()}")
            if self.health()[0] == 200:
                return self
            time.sleep(0.05)
        raise AssertionError(f"the emulator was not ready in 60 s:\n{self.log.read_text()}")

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{self.url}/_mlp/health", timeout=5) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def client(self, service: str, **options: Any) -> Any:
        return boto3.client(  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
            service,  # pyright: ignore[reportArgumentType]
            endpoint_url=self.url,
            region_name=options.pop("region_name", REGION),
            aws_access_key_id=options.pop("aws_access_key_id", "sandbox"),
            aws_secret_access_key=options.pop("aws_secret_access_key", "sandbox"),
            config=options.pop("config", CONFIG),
            **options,
        )


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the fields that differ from call to call."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
