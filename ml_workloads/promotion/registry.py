"""One project's registered model, as promotions use it: aliases, tags, and metadata of each version."""

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

# Error codes for a missing alias or version. MLflow's file store and its database store answer with different ones.
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Aliases of the registered model with the versions that they name, and its tags."""

    aliases: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of the model. `problem` says why it cannot be promoted whatever its metrics, None if it can."""

    version: str
    run_id: str | None
    metrics: Mapping[str, float]
    data_met_contract: bool
    has_signature: bool
    problem: str | None = None


class ModelRegistry:
    """The registered model of one project. `client` is an MLflow client whose account may change this model."""

    def __init__(self, client: MlflowClient, name: str) -> None:
        self.client, self.name = client, name

    @property
    def account(self) -> str | None:
        """The account that is signed in at MLflow, None if its environment names no account."""
        return signed_in_as()

    def standing(self) -> Standing:
        """Return aliases and tags of the registered model.

        Raises:
            PromotionError: there is no such model.
        """
        found: Any = absent(lambda: self.client.get_registered_model(self.name))
        if found is None:
            raise PromotionError(f"MLflow has no registered model {self.name}; first `mlp train {self.name}`")
        aliases = {str(alias): str(version) for alias, version in dict(found.aliases or {}).items()}
        return Standing(aliases=aliases, tags=dict(found.tags or {}))

    def exists(self, version: str) -> bool:
        return absent(lambda: self.client.get_model_version(self.name, version)) is not None

    def version(self, version: str, *, with_signature: bool = True) -> Version:
        """Return a version with its metrics.

        Args:
            version: number of the version.
            with_signature: read the model's own file, which holds the signature and the format of the model. This is
                not needed for a version that is only compared with.

        Raises:
            PromotionError: there is no such version.
        """
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
        """Return the last write of an alias to a version, None if MLflow's server has not recorded one."""
        found: Any = absent(lambda: self.client.get_model_version(self.name, version))
        writes = alias_writes(version, dict(found.tags or {})) if found else ()
        return next((each for each in reversed(writes) if each.alias == alias), None)

    def move(self, move: Move) -> None:
        """Record the move, then move the alias.

        If the alias cannot be moved, the record is deleted where MLflow allows it. The next promotion or rollback
        notices a record without its move.
        """
        key, value = written(move)
        client: Any = self.client
        client.set_registered_model_tag(self.name, key, value)
        try:
            self.client.set_registered_model_alias(self.name, move.alias, move.version)
        except BaseException:
            # Accounts are not allowed to delete records of moves.
            with suppress(Exception):
                self.client.delete_registered_model_tag(self.name, key)
            raise

    def _description(self, version: str) -> Description | str | None:
        """Return the version's description, or the reason why nobody may load it; None if there is no description.

        The function reads only the file `MLmodel` and loads no model, because that would run the project's code where
        its verdict is made.
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
    """Return whether a server can derive the model's input columns from the description."""
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
    """Return the result of the call, or None if MLflow answers that the object does not exist."""
    from mlflow.exceptions import MlflowException

    try:
        return call()
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise
