"""MLflow's records for the guard: read from MLflow's own stores, without a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.server import handlers

T = TypeVar("T")
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
server: Any = handlers


class KnownToMlflow:
    """Implementation of `refusals.Known`.

    Every look-up uses MLflow's own stores, and sees the writes of other replicas.
    """

    @property
    def registry(self) -> Any:
        return server._get_model_registry_store()

    @property
    def tracking(self) -> Any:
        return server._get_tracking_store()

    def tags_of(self, model: str) -> dict[str, str] | None:
        found = _absent(lambda: self.registry.get_registered_model(model))
        return None if found is None else {str(key): str(value) for key, value in found.tags.items()}

    def experiment_named(self, name: str) -> str | None:
        found = _absent(lambda: self.tracking.get_experiment_by_name(name))
        return None if found is None else str(found.experiment_id)

    def experiment_of_run(self, run_id: str) -> str | None:
        found = _absent(lambda: self.tracking.get_run(run_id))
        return None if found is None else str(found.info.experiment_id)

    def experiment_of_logged_model(self, model_id: str) -> str | None:
        found = _absent(lambda: self.tracking.get_logged_model(model_id))
        return None if found is None else str(found.experiment_id)

    def location_of_logged_model(self, model_id: str) -> str | None:
        found = _absent(lambda: self.tracking.get_logged_model(model_id))
        return None if found is None else str(found.artifact_location)

    def location_of_version(self, name: str, version: str) -> str | None:
        found = _absent(lambda: self.registry.get_model_version_download_uri(name, version))
        return None if found is None else str(found)

    def version_named(self, model: str, alias: str) -> str | None:
        """Return the version that an alias names."""
        found = _absent(lambda: self.registry.get_model_version_by_alias(model, alias))
        return None if found is None else str(found.version)


def _absent(call: Callable[[], T]) -> T | None:
    """Return the result of a call, or None if MLflow says that the object does not exist."""
    try:
        return call()
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise
