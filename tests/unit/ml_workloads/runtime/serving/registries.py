"""A registry stub whose alias a test moves, and models with prepared answers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pandas as pd

from ml_workloads.runtime.serving.column_types import NumberType, TextType
from ml_workloads.runtime.serving.columns import Column
from ml_workloads.runtime.serving.models import Servable

COLUMNS = (
    Column(name="age", type=NumberType(dtype="int64")),
    Column(name="spent in total", type=NumberType(dtype="float64")),
    Column(name="country", type=TextType(storage="python", missing="NaN"), nullable=True),
)


def servable(version: str = "1", columns: Sequence[Column] = COLUMNS, predict: Any = None) -> Servable:
    def ages(table: pd.DataFrame) -> Sequence[Any]:
        return table["age"].tolist()

    return Servable(name="churn", version=version, columns=columns, predict=predict or ages)


class Shelf:
    """Registry stub. `alias` is the current version, or None; `broken` versions cannot be loaded."""

    def __init__(self, *models: Servable) -> None:
        self.models = {model.version: model for model in models}
        self.alias: str | None = models[0].version if models else None
        self.down = False
        self.broken: set[str] = set()
        self.asked = threading.Event()

    def current(self) -> str | None:
        self.asked.set()
        if self.down:
            raise ConnectionError("connection refused")
        return self.alias

    def load(self, version: str) -> Servable:
        if version in self.broken:
            raise OSError("the artifact's digest is not that of its record")
        return self.models[version]
