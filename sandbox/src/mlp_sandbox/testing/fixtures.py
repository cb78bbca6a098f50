"""Fixtures of a real sandbox: the real engine, the real provider plugin and the emulated account as processes.

A conftest.py imports the fixtures that its tests use, and the hook. The tests of one run share a sandbox; a test that
kills or fills its sandbox takes one of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.emulator.propagation import Speed
from mlp_sandbox.instance import Instance, Nodes
from mlp_sandbox.testing.box import Box, MakeBox, Program, free_port, new_program
from mlp_sandbox.toolchain import ensure_pulumi


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Fail a skipped sandbox test in CI, because a skip there hides that a guarantee was not checked."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where sandbox tests must run: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def pulumi_binary() -> Path:
    return ensure_pulumi(lambda _line: None).path


@pytest.fixture(scope="session")
def make_box(tmp_path_factory: pytest.TempPathFactory, pulumi_binary: Path) -> Iterator[MakeBox]:
    """Return `make_box(name)`, which starts a sandbox.

    By default nodes are simulated and changes take effect at once, because few tests depend on these settings.
    """
    root = tmp_path_factory.mktemp("sandboxes")
    made: list[Box] = []

    def make(name: str, nodes: Nodes = "simulated", propagation: Speed = "at-once") -> Box:
        box = Box(Instance(name, free_port(), root / name, nodes, propagation), pulumi_binary)
        made.append(box)
        box.up()
        return box

    yield make
    for box in made:
        lifecycle.down(box.instance)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def box(make_box: MakeBox) -> Box:
    """Return the sandbox that tests share; a test must leave it unchanged."""
    return make_box("shared")


@pytest.fixture
def own_box(make_box: MakeBox, request: pytest.FixtureRequest) -> Iterator[Box]:
    """Yield a sandbox that a test may kill."""
    made = make_box(f"own-{free_port()}")
    yield made
    lifecycle.down(made.instance)


@pytest.fixture
def program(box: Box, tmp_path: Path) -> Iterator[Program]:
    made = new_program(box, tmp_path / "program")
    yield made
    made.pulumi("destroy", "--yes", "--skip-preview", ok=False)
    made.box.pulumi("stack", "rm", "test", "--yes", "--force", cwd=made.folder, ok=False)
