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
from mlflow.exceptions import MlflowException

from ml_workloads.runtime.account import sign_in
from ml_workloads.runtime.records import says_there_is_none
from ml_workloads.runtime.retries import fail_early
from ml_workloads.runtime.serving.columns import columns_of
from ml_workloads.runtime.serving.models import Servable

UNAUTHORIZED = 401


class MlflowRegistry:
    """Address and credentials come from MLflow's own environment variables."""

    def __init__(self, name: str, alias: str) -> None:
        self._name, self._alias = name, alias
        fail_early()
        self._client = MlflowClient()
        self._signed_in = False

    def current(self) -> str | None:
        """Signs in first, and again when MLflow does not know the password any more: it may have been changed."""
        if not self._signed_in:
            sign_in()
            self._signed_in = True
        try:
            return str(self._client.get_model_version_by_alias(self._name, self._alias).version)
        except MlflowException as error:
            self._signed_in = error.get_http_status_code() != UNAUTHORIZED
            if says_there_is_none(error):
                return None
            raise

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
