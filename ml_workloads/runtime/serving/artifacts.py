"""Reads a downloaded version of a model: what it takes, and the model itself, with trusted types only.

MLflow would load whatever the version says of itself: a pickle, a module of its own, or a skops file with the types
that its own MLmodel file calls trusted. A version that somebody has tampered with must not decide that, so here only
the platform's reviewed list and the project's `training.trusted_types` count.
https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io as skops
from mlflow.models import Model

from ml_workloads.runtime.model_format import model_file
from ml_workloads.runtime.serving.columns import columns_of
from ml_workloads.runtime.serving.models import Servable
from ml_workloads.runtime.trusted_types import trusted


def read(folder: Path, name: str, version: str, extra: Sequence[str]) -> Servable:
    """Return the model in a folder. It needs the folder no longer then.

    Args:
        folder: Where MLflow has put the version's files.
        name: Registered model.
        version: Its version.
        extra: Types that the project's models may hold beside the reviewed ones.

    Raises:
        FormatError: It is no scikit-learn model in skops' format, or brings code along.
        SignatureError: It does not say which columns it takes.
        UntrustedTypesFoundException: The file holds other types than the trusted ones.
    """
    document, path = model_file(folder, version)
    described = Model.from_dict(document)
    columns = columns_of(described.signature, described.metadata)
    model = skops.load(path, trusted=list(trusted(extra)))
    return Servable(name=name, version=version, columns=columns, predict=predictor(model))


def predictor(model: Any) -> Callable[[pd.DataFrame], Sequence[Any]]:
    """Return a function from a table to predictions that JSON can carry, one for each row."""
    return lambda table: plain(model.predict(table))


def plain(predictions: Any) -> Sequence[Any]:
    """Return what a model answered as JSON can carry it: one value, list or mapping for each row."""
    if isinstance(predictions, pd.DataFrame):
        return predictions.to_dict(orient="records")
    if isinstance(predictions, pd.Series | np.ndarray):
        return list(predictions.tolist())
    return list(predictions)
