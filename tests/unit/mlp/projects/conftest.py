"""Fixtures for commands on a project: a real file registry, and a cluster stub with the Lease only."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

import mlp.projects.tracking
from ml_workloads.project import parse_project
from mlp.projects import history, promote
from mlp.projects.environment import Environment, Place
from mlp.projects.session import Session
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.ml_workloads.promotion.models import Model, mlflow_in
from tests.unit.mlp.projects.leases import LeaseServer

JO = "arn:aws:sts::123456789012:assumed-role/team/jo"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with mlflow_in(tmp_path_factory.mktemp("mlflow")) as client:
        yield client


@pytest.fixture
def leases() -> LeaseServer:
    return LeaseServer()


@pytest.fixture
def model(store: Any, leases: LeaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return the model of a new project, which the commands find in dev.

    Its gate: f1 of at least 0.8, and no worse than before.
    """
    name = f"churn-{uuid4().hex[:8]}"
    project = parse_project({**SOUND, "name": name}, "example")
    environment = Environment(
        name="dev", region="us-east-1", prefix="ml-platform-dev", cluster="ml-platform-dev-eks", teams=frozenset()
    )
    session = Session(
        place=Place(project=project, environment=environment),
        aws=cast(Any, SimpleNamespace(caller=JO)),
        cluster=cast(Any, leases),
    )

    leases.now = datetime.now(UTC)
    leases.path = leases.path.replace("growth-churn", project.namespace)

    @contextmanager
    def opened(asked: str, env: str) -> Generator[Session]:
        assert (asked, env) == (name, "dev")
        yield session

    @contextmanager
    def tracking(_session: Session) -> Generator[Any]:
        yield store

    for module in (promote, history):
        monkeypatch.setattr(module, "opened", opened)
    monkeypatch.setattr(mlp.projects.tracking, "tracking", tracking)
    return Model(store, name, tmp_path)
