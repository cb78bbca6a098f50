"""One project's registered model, as promotions see it: aliases, tags, and what is known of each version."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_workloads.promotion.ladder import PromotionError
from ml_workloads.promotion.moves import Move, written
from ml_workloads.promotion.writers import AliasWrite, alias_writes
from ml_workloads.runtime import records
from ml_workloads.runtime.account import signed_in_as
from ml_workloads.runtime.model_format import DESCRIPTION, Description, FormatError, described

if TYPE_CHECKING:
    from mlflow import MlflowClient

# MLflow's stores of files and of a database answer for a missing alias or version with one or the other.
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Of the registered model: which version each alias names, and its tags."""

    aliases: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Version:
    """`problem` says why it cannot be promoted whatever its metrics, None where nothing stands in the way."""

    version: str
    run_id: str | None
    metrics: Mapping[str, float]
    data_met_contract: bool
    has_signature: bool
    problem: str | None = None


class ModelRegistry:
    """`client` is MLflow's, signed in as somebody who may change this model."""

    def __init__(self, client: MlflowClient, name: str) -> None:
        self.client, self.name = client, name

    @property
    def account(self) -> str | None:
        """Who is signed in at MLflow, None where its environment names nobody."""
        return signed_in_as()

    def standing(self) -> Standing:
        """Raises PromotionError when there is no such model."""
        found: Any = absent(lambda: self.client.get_registered_model(self.name))
        if found is None:
            raise PromotionError(f"MLflow has no registered model {self.name}; first `mlp train {self.name}`")
        aliases = {str(alias): str(version) for alias, version in dict(found.aliases or {}).items()}
        return Standing(aliases=aliases, tags=dict(found.tags or {}))

    def exists(self, version: str) -> bool:
        return absent(lambda: self.client.get_model_version(self.name, version)) is not None

    def version(self, version: str, *, with_signature: bool = True) -> Version:
        """Raises PromotionError when there is no such version. The signature is in the model's own file, which also
        says in which form the model is kept; neither is looked at for a version that is only compared with."""
        found: Any = absent(lambda: self.client.get_model_version(self.name, version))
        if found is None:
            raise PromotionError(f"{self.name} has no version {version}; `mlp models {self.name}` lists them")
        run: Any = absent(lambda: self.client.get_run(str(found.run_id))) if found.run_id else None
        problem = None
        if found.status != "READY":
            problem = f"MLflow says that it is {found.status}"
        elif run is None:
            problem = "it has no run, so nobody can tell what it was trained on and how good it is"
        elif run.info.status != "FINISHED":
            problem = f"its run is {run.info.status}"
        description = self._description(version) if with_signature and run is not None else None
        return Version(
            version=version,
            run_id=str(found.run_id) if found.run_id else None,
            metrics=dict(run.data.metrics) if run else {},
            data_met_contract=bool(run) and run.data.tags.get(records.DATA_CONTRACT) == records.CONTRACT_MET,
            has_signature=isinstance(description, Mapping) and _has_signature(description),
            problem=problem or (description if isinstance(description, str) else None),
        )

    def last_write(self, alias: str, version: str) -> AliasWrite | None:
        """Return who last let an alias name a version, None where MLflow's server has not recorded it."""
        found: Any = absent(lambda: self.client.get_model_version(self.name, version))
        writes = alias_writes(version, dict(found.tags or {})) if found else ()
        return next((each for each in reversed(writes) if each.alias == alias), None)

    def move(self, move: Move) -> None:
        """Record the move, then make it. An alias that could not be moved leaves no record of it, as far as MLflow
        lets go of it; a record without its move is noticed by whoever comes next."""
        key, value = written(move)
        self.client.set_registered_model_tag(self.name, key, value)
        try:
            self.client.set_registered_model_alias(self.name, move.alias, move.version)
        except BaseException:
            # Accounts may not delete records of moves.
            with suppress(Exception):
                self.client.delete_registered_model_tag(self.name, key)
            raise

    def _description(self, version: str) -> Description | str | None:
        """Return what the version says of itself, or why nobody may load it; None where it says nothing.

        Reads the file `MLmodel` alone and loads no model: that would run the project's code where its verdict is made.
        https://mlflow.org/docs/latest/ml/model/#mlmodel-file
        """
        import mlflow.artifacts
        from mlflow.exceptions import MlflowException

        try:
            text = mlflow.artifacts.load_text(f"models:/{self.name}/{version}/{DESCRIPTION}")
            return described(text, version)
        except FormatError as error:
            return str(error)
        except MlflowException as error:
            if "No such file" in str(error) or error.error_code in _ABSENT:
                return None
            raise


def _has_signature(description: Description) -> bool:
    """Return whether a server can tell what the model takes."""
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature

    from ml_workloads.runtime.serving.columns import SignatureError, columns_of

    signature = description.get("signature")
    try:
        found = ModelSignature.from_dict(signature) if signature else None
        return bool(columns_of(found, description.get("metadata")))
    except (SignatureError, MlflowException, ValueError, TypeError, KeyError):
        return False


def absent(call: Any) -> Any:
    """What the call answers, or None when MLflow says that there is no such thing."""
    from mlflow.exceptions import MlflowException

    try:
        return call()
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise
