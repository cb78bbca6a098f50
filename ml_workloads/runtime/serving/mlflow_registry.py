"""Models from MLflow's registry, by alias.

https://mlflow.org/docs/latest/ml/model-registry/
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import mlflow.artifacts
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from ml_workloads.runtime.account import sign_in
from ml_workloads.runtime.records import says_there_is_none
from ml_workloads.runtime.retries import fail_early
from ml_workloads.runtime.serving.artifacts import plain, read
from ml_workloads.runtime.serving.models import Servable, UnservableError
from ml_workloads.runtime.serving.scratch import Scratch, TooLargeError

__all__ = ["MlflowRegistry", "plain"]
UNAUTHORIZED = 401


class MlflowRegistry:
    """The registered model of a project at MLflow.

    Address and credentials come from MLflow's own environment variables.

    Args:
        name: Registered model.
        alias: Names the version that is served.
        trusted: Types that the project's models may hold in addition to the platform's reviewed ones.
        scratch: Folder for downloaded versions; None creates one below the temporary folder.
    """

    def __init__(self, name: str, alias: str, trusted: Sequence[str] = (), scratch: Scratch | None = None) -> None:
        self._name, self._alias, self._trusted = name, alias, tuple(trusted)
        self._scratch = scratch or Scratch()
        fail_early()
        self._client = MlflowClient()
        self._signed_in = False

    def current(self) -> str | None:
        """Return the version that the alias names, or None.

        The method signs in first, and again after MLflow rejects the password, which may have been changed.
        """
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
        """Download a version and load it. Its files are deleted from the volume, whether or not it can be loaded.

        Raises:
            UnservableError: It is too large, or its content cannot be loaded: a retry would fail the same way.
            Exception: MLflow does not deliver it.
        """
        uri = f"models:/{self._name}/{version}"
        try:
            self._scratch.demand(version, sum(_sizes(uri)))
            with self._scratch.folder(version) as folder:
                mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
                return self._read(folder, version)
        except TooLargeError as error:
            raise UnservableError(str(error)) from error
        finally:
            # MLflow's client leaves a thread pool behind for each download, and models have reference cycles.
            gc.collect()

    def _read(self, folder: Path, version: str) -> Servable:
        try:
            return read(folder, self._name, version, self._trusted)
        except Exception as error:
            raise UnservableError(f"{type(error).__name__}: {error}") from error


def _sizes(uri: str, path: str = "") -> Iterator[int]:
    """Yield the size in bytes of each file below a path of a version."""
    listed: Any = mlflow.artifacts.list_artifacts(artifact_uri=f"{uri}/{path}" if path else uri)
    for each in listed:
        if each.is_dir:
            yield from _sizes(uri, str(each.path))
        else:
            yield int(each.file_size or 0)
