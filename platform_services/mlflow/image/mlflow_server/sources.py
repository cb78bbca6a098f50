"""Where the files of a version of a model may lie: with its own project's runs and logged models, and nowhere else.

MLflow takes any URI as the source of a version. Whoever loads the version, or MLflow itself for its pages, then reads
there with rights of its own: another project's files in the bucket, its own disk, an address that it can reach.
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
    """What a new version is to be made of, as the request says it; empty where it does not say."""

    source: str
    run_id: str = ""
    model_id: str = ""


class Places(Protocol):
    """Looks up what MLflow has recorded; None where there is no such thing."""

    def experiment_named(self, name: str) -> str | None:
        """Id of the experiment of a name."""
        ...

    def experiment_of_run(self, run_id: str) -> str | None: ...

    def experiment_of_logged_model(self, model_id: str) -> str | None: ...

    def location_of_logged_model(self, model_id: str) -> str | None: ...

    def location_of_version(self, name: str, version: str) -> str | None:
        """Where MLflow sends whoever downloads it."""
        ...


def strange_version(name: str, version: str, places: Places) -> str | None:
    """Return why nobody may load a version that is there already; None where there is none, or nothing against it.

    It does not say where the files are: MLflow has not yet judged whether the account may know.
    """
    location, own = places.location_of_version(name, version), places.experiment_named(name)
    if location is None or (own is not None and _is_own(location, own, places)):
        return None
    return (
        f"version {version} of {name} does not have its files with the runs and logged models of the experiment "
        f"{name}; log the model there and register it anew"
    )


def strange_source(name: str, made: Made, places: Places) -> str | None:
    """Return why a version may not be made of what a request says, or None.

    Args:
        name: the registered model, which has the name of its project's experiment.
        made: what the request says.
        places: what MLflow has recorded.
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
    """Return whether files are those of a run or logged model of an experiment."""
    if found := _LOGGED_MODEL.fullmatch(location):
        kept = places.location_of_logged_model(found["id"])
        return kept is not None and _is_kept_with(kept, own)
    if found := _RUN.fullmatch(location):
        return places.experiment_of_run(found["id"]) == own and not _climbs(found["path"])
    return _is_kept_with(location, own)


def _is_kept_with(location: str, own: str) -> bool:
    """Return whether a location is one of those that MLflow's proxy of files keeps for an experiment."""
    found = _FILES.fullmatch(location)
    return found is not None and found["experiment"] == own and not _climbs(found["path"])


def _climbs(path: str) -> bool:
    return any(part in (".", "..") for part in path.split("/"))
