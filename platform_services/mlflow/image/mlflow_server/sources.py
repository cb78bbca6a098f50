"""Allowed locations of a model version's files: its own project's runs and logged models, and no other place.

MLflow accepts any URI as the source of a version. A client that loads the version, or MLflow itself for its web pages,
then reads there with its own permissions: another project's files in the bucket, its own disk, an address that it can
reach.
https://mlflow.org/docs/latest/ml/model-registry/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

_PATH: Final = r"(?:/[A-Za-z0-9_ .=@+,-]+)*"
_LOGGED_MODEL = re.compile(r"models:/(?P<id>m-[0-9a-f]+)")
_VERSION = re.compile(r"models:/(?P<name>[^/@:]+)/(?P<version>\d+)")
_RUN = re.compile(rf"runs:/(?P<id>[0-9a-f]+)(?P<path>{_PATH})")
_FILES = re.compile(rf"mlflow-artifacts:/(?P<experiment>\d+)(?P<path>{_PATH})/?")


@dataclass(frozen=True, kw_only=True)
class Made:
    """The source of a new version as the request declares it. A missing value is empty."""

    source: str
    run_id: str = ""
    model_id: str = ""


class Places(Protocol):
    """Look-ups in MLflow's records. They return None if an object does not exist."""

    def experiment_named(self, name: str) -> str | None:
        """Return the ID of the experiment with a name."""
        ...

    def experiment_of_run(self, run_id: str) -> str | None: ...

    def experiment_of_logged_model(self, model_id: str) -> str | None: ...

    def location_of_logged_model(self, model_id: str) -> str | None: ...

    def location_of_version(self, name: str, version: str) -> str | None:
        """Return the location from which MLflow lets clients download a version."""
        ...


def strange_version(name: str, version: str, places: Places) -> str | None:
    """Return why nobody may load an existing version, or None if there is none or no objection.

    The reason does not name the location of the files: MLflow has not yet checked whether the account may know it.
    """
    location, own = places.location_of_version(name, version), places.experiment_named(name)
    if location is None or (own is not None and _is_own(location, own, places)):
        return None
    return (
        f"version {version} of {name} does not have its files with the runs and logged models of the experiment "
        f"{name}; log the model there and register it anew"
    )


def strange_source(name: str, made: Made, places: Places) -> str | None:
    """Return why a version may not be created from the source in a request, or None.

    Args:
        name: the registered model, which has the name of its project's experiment.
        made: the source in the request.
        places: MLflow's records.
    """
    own = places.experiment_named(name)
    if own is None:
        return f"there is no experiment {name}, which the versions of the model {name} come from"
    if made.run_id and places.experiment_of_run(made.run_id) != own:
        return f"run_id is {made.run_id!r}, which is no run of the experiment {name}; name the run that made the model"
    if made.model_id and places.experiment_of_logged_model(made.model_id) != own:
        return f"model_id is {made.model_id!r}, which is no logged model of the experiment {name}; log the model there"
    version = _VERSION.fullmatch(made.source)
    location = places.location_of_version(name, version["version"]) if version and version["name"] == name else None
    if _is_own(location or made.source, own, places):
        return None
    return (
        f"source is {made.source!r}, it must be a run or logged model of the experiment {name}: models:/m-..., "
        f"runs:/<run id>/<path>, mlflow-artifacts:/{own}/<path>, or models:/{name}/<version>; log the model with "
        "mlflow.sklearn.log_model and register what it returns"
    )


def _is_own(location: str, own: str, places: Places) -> bool:
    """Return whether files belong to a run or logged model of an experiment."""
    if found := _LOGGED_MODEL.fullmatch(location):
        kept = places.location_of_logged_model(found["id"])
        return kept is not None and _is_kept_with(kept, own)
    if found := _RUN.fullmatch(location):
        return places.experiment_of_run(found["id"]) == own and not _climbs(found["path"])
    return _is_kept_with(location, own)


def _is_kept_with(location: str, own: str) -> bool:
    """Return whether a location is one that MLflow's proxy of files uses for an experiment."""
    found = _FILES.fullmatch(location)
    return found is not None and found["experiment"] == own and not _climbs(found["path"])


def _climbs(path: str) -> bool:
    return any(part in (".", "..") for part in path.split("/"))
