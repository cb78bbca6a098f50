"""Registers a model that is a skops file already: a model with the project's own types cannot be loaded here."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol, cast

import mlflow.sklearn as mlflow_sklearn
from mlflow.models import Model, ModelSignature
from sklearn.dummy import DummyClassifier

from ml_workloads.runtime.serving.columns import INPUTS

# Listed here, because MLflow would otherwise load the model in another process to find out its imports.
REQUIREMENTS: Final = [
    f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops")
]
FILE: Final = "model.skops"


class Saved(Protocol):
    """A model to register."""

    @property
    def saved(self) -> bytes: ...

    @property
    def needed(self) -> list[str]: ...

    @property
    def description(self) -> Any: ...

    @property
    def signature(self) -> ModelSignature | None: ...


class _SkopsFile:
    """Replacement for `mlflow.sklearn` while MLflow logs a model: it writes the existing model file."""

    def __init__(self, model: Saved) -> None:
        self._model = model

    def save_model(self, path: str, mlflow_model: Any, **_: Any) -> None:
        model, described = self._model, mlflow_model
        described.signature = model.signature
        cast("Any", mlflow_sklearn).save_model(
            DummyClassifier(),
            path,
            mlflow_model=described,
            serialization_format="skops",
            skops_trusted_types=list(model.needed),
            pip_requirements=REQUIREMENTS,
            metadata={INPUTS: dict(model.description)},
        )
        (Path(path) / FILE).write_bytes(model.saved)
        described.model_size_bytes = len(model.saved)
        described.save(str(Path(path) / "MLmodel"))


def log_saved(name: str, model: Saved) -> str:
    """Log a model to the active run, register it, and return its version."""
    logged = cast("Any", Model).log(
        artifact_path=None,
        name="model",
        flavor=_SkopsFile(model),
        registered_model_name=name,
    )
    return str(logged.registered_model_version)
