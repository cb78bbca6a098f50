"""Proxy for a model that is loaded in another pod, with the methods of a scikit-learn model."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.recipe import Recipe
from ml_workloads.runtime.worker.messages import ContractAnswer, Method, ModelAnswer, Predictions


class Worker(Protocol):
    """A pod that runs the project's code without permissions.

    Each method raises ProjectError for a mistake that is recognised, CodeError for an exception of the project's code,
    and PlatformError if the pod does not answer.
    """

    def contract(self) -> ContractAnswer: ...

    def data(self) -> bytes: ...

    def check(self, raw: pd.DataFrame, target: str) -> Recipe: ...

    def load(self, saved: bytes) -> ModelAnswer: ...

    def ask(self, method: Method, rows: pd.DataFrame) -> Predictions: ...


class AskedModel:
    """Proxy with exactly the methods that the model in the pod has. The number of values in each answer is checked."""

    def __init__(self, worker: Worker, answer: ModelAnswer) -> None:
        self._worker = worker
        if answer.classes is not None:
            self.classes_ = np.asarray(answer.classes)
        for method in answer.methods:
            setattr(self, method, self._method(method))

    def _method(self, method: Method) -> Any:
        def ask(rows: pd.DataFrame) -> np.ndarray[Any, Any]:
            values = np.asarray(self._worker.ask(method, rows).values)
            if len(values) != len(rows):
                raise ProjectError(
                    f"{method} returned {len(values)} values for {len(rows)} rows; return one value for each row"
                )
            return values

        return ask


def asked(worker: Worker, saved: bytes) -> Any:
    """Return a proxy for the model of a skops file, loaded by a worker.

    The proxy's class has the name of the model's class, for messages.
    """
    answer = worker.load(saved)
    return type(answer.kind, (AskedModel,), {})(worker, answer)
