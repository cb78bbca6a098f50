"""Answers of a worker: the result of a contract's check of data, and a model's predictions for rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import skops.io as skops

from ml_workloads.runtime import trusted_types
from ml_workloads.runtime.contract import Contract, check, schema_of
from ml_workloads.runtime.data import text_columns
from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.recipe import Recipe, describe_contract
from ml_workloads.runtime.training.servable import refuse
from ml_workloads.runtime.worker.messages import METHODS, ContractAnswer, Method, ModelAnswer, Predictions, plain


class Contracts:
    """The project's contract. `load` imports it, at the first request."""

    def __init__(self, load: Callable[[], Contract]) -> None:
        self._load = load

    def text_columns(self) -> ContractAnswer:
        """Return the columns of a CSV that stay as written.

        Raises:
            ContractError: the object is no contract.
        """
        found = text_columns(self._load())
        return ContractAnswer(names=sorted(found.names), patterns=[each.pattern for each in found.patterns])

    def check(self, raw: pd.DataFrame, target: str) -> Recipe:
        """Check data against the contract, and return the description of the result.

        Raises:
            ContractError: the data breaks the contract. Errors of `describe_contract` propagate too.
        """
        contract = self._load()
        checked = check(raw, contract, target)
        defaults = {str(name): column.default for name, column in schema_of(contract).columns.items()}
        return describe_contract(raw, checked, defaults)


class Models:
    """The model of one run, with the project's own types that it may hold."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = tuple(trusted)
        self._model: Any = None

    def load(self, saved: bytes) -> ModelAnswer:
        """Load a skops file.

        Raises:
            NotSavableError: it holds a type that is not trusted.
        """
        refuse("saved", trusted_types.untrusted(saved, self._trusted))
        self._model = skops.loads(saved, trusted=trusted_types.needed(saved, self._trusted))
        return described(self._model)

    def ask(self, method: Method, rows: pd.DataFrame) -> Predictions:
        if self._model is None:
            raise ProjectError("no model was sent to this worker")
        return Predictions(values=plain(getattr(self._model, method)(rows)))


def described(model: Any) -> ModelAnswer:
    """Return the methods and classes of a model."""
    classes = getattr(model, "classes_", None)
    return ModelAnswer(
        kind=type(model).__name__,
        methods=[method for method in METHODS if hasattr(model, method)],
        classes=None if classes is None else plain(np.asarray(classes)),
    )
