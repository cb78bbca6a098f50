"""Models from MLflow's registry, by alias.

https://mlflow.org/docs/latest/ml/model-registry/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow import MlflowClient

from ml_workloads.runtime.serving.columns import columns_of
from ml_workloads.runtime.serving.models import Servable


class MlflowRegistry:
    """Address and credentials come from MLflow's own environment variables."""

    def __init__(self, name: str, alias: str) -> None:
        self._name, self._alias = name, alias
        self._client = MlflowClient()

    def current(self) -> str:
        return str(self._client.get_model_version_by_alias(self._name, self._alias).version)

    def load(self, version: str) -> Servable:
        model = mlflow.pyfunc.load_model(f"models:/{self._name}/{version}")
        return Servable(
            name=self._name,
            version=version,
            columns=columns_of(model.metadata.signature),
            predict=lambda table: plain(model.predict(table)),
        )


def plain(predictions: Any) -> Sequence[Any]:
    """What a model answered as JSON can carry it: one value, list or mapping for each row."""
    if isinstance(predictions, pd.DataFrame):
        return predictions.to_dict(orient="records")
    if isinstance(predictions, pd.Series | np.ndarray):
        return list(predictions.tolist())
    return list(predictions)
