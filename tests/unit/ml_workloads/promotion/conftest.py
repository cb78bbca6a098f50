from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from mlflow import MlflowClient

from tests.unit.ml_workloads.promotion.models import Model, mlflow_in


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    with mlflow_in(tmp_path_factory.mktemp("mlflow")) as found:
        yield found


@pytest.fixture
def model(client: MlflowClient, tmp_path: Path) -> Model:
    """Return the model of a new project."""
    return Model(client, f"churn-{uuid4().hex[:8]}", tmp_path)
