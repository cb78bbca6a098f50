"""Fixtures for every test: a recording cloud for each test, on its own event loop."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from mlp.recording import Deploy, Program, RecordingCloud, run_program

# Programs make hundreds of thousands of objects that stay: searching them for garbage takes a fifth of the tests' time.
gc.set_threshold(100_000, 50, 100)
# A job that a shell starts in the background ignores Ctrl-C, and so does whatever it starts: tests that press it on a
# process of their own would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
# MLflow begins to tell its makers of its use when it is imported, in a thread that waits for a lock which a test's
# `mlflow.autolog()` holds.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# The day that versions are judged by, in every program that a test runs: no test begins to fail by itself.
os.environ.setdefault("MLP_TODAY", "2026-11-30")


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    """Yield a function that runs a program against mocks: `result, cloud = deploy(lambda: Network(...))`.

    Each test has its own loop and settings. Pulumi keeps both in globals, so tests would otherwise depend on their
    order.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def run(program: Program, *, stack: str = "test", preview: bool = False) -> tuple[Any, RecordingCloud]:
        cloud = RecordingCloud()
        return run_program(program, cloud, stack, preview), cloud

    yield run
    pulumi.runtime.settings.reset_options()
    pulumi.runtime.set_all_config({})
    loop.close()
    asyncio.set_event_loop(None)
