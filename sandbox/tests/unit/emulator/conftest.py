"""Fixtures: a whole emulator in this process, and the resources around an EKS cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.core.base_backend import BackendDict

from mlp_sandbox.emulator import clusters, databases
from sandbox.tests.unit.emulator.eks_world import World
from sandbox.tests.unit.emulator.emulated import Emulated, Plane, Shapes


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> Shapes:
    return Shapes().install(monkeypatch)


@pytest.fixture
def alone(shapes: Shapes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Isolate moto's state from other tests, and check every answer against botocore's model."""
    monkeypatch.setattr(clusters, "CURRENT", None)
    monkeypatch.setattr(databases, "CURRENT", None)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a thousand images that no test looks at
    yield
    BackendDict.reset()
    assert not shapes.problems, "\n".join(shapes.problems)


@pytest.fixture
def emulated(tmp_path: Path, alone: None) -> Iterator[Emulated]:
    running = Emulated(tmp_path / "home").start()
    yield running
    running.service.close()


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def with_plane(tmp_path: Path, plane: Plane, alone: None) -> Iterator[Emulated]:
    running = Emulated(tmp_path / "home", plane).start()
    yield running
    running.service.close()


@pytest.fixture
def world(emulated: Emulated) -> World:
    return World(emulated)
