"""Reads a downloaded version of a model: its columns, and the model itself, with trusted types only.

MLflow would load whatever the version declares: a pickle, a module of its own, or a skops file with the types that its
own MLmodel file calls trusted. A version that somebody has tampered with must not decide that, so only the platform's
reviewed list and the project's `training.trusted_types` count here.
https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import skops.io as skops
from mlflow.models import Model

from ml_workloads.runtime.model_format import model_file
from ml_workloads.runtime.serving.columns import columns_of
from ml_workloads.runtime.serving.models import Servable
from ml_workloads.runtime.trusted_types import trusted


def read(folder: Path, name: str, version: str, extra: Sequence[str]) -> Servable:
    """Return the model in a folder. The folder is not needed afterwards.

    Args:
        folder: Folder with the version's files from MLflow.
        name: Registered model.
        version: Its version.
        extra: Types that the project's models may hold in addition to the reviewed ones.

    Raises:
        FormatError: The version is no scikit-learn model in skops' format, or contains code.
        SignatureError: The version does not declare its columns.
        UntrustedTypesFoundException: The file holds types that are not trusted.
    """
    document, path = model_file(folder, version)
    described = cast("Any", Model).from_dict(document)
    columns = columns_of(described.signature, described.metadata)
    model = skops.load(path, trusted=list(trusted(extra)))
    return Servable(name=name, version=version, columns=columns, predict=predictor(model))


def predictor(model: Any) -> Callable[[pd.DataFrame], Sequence[Any]]:
    """Return a function from a table to predictions that JSON can represent, one for each row."""
    return lambda table: plain(model.predict(table))


def plain(predictions: Any) -> Sequence[Any]:
    """Return a model's predictions in a form that JSON can represent: one value, list or mapping for each row."""
    if isinstance(predictions, pd.DataFrame):
        table: Any = predictions
        return table.to_dict(orient="records")
    if isinstance(predictions, pd.Series | np.ndarray):
        return list(predictions.tolist())
    return list(predictions)
