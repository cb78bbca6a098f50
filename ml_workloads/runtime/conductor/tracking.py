"""Where runs and models are recorded: MLflow.

Address and credentials come from MLflow's own environment variables; artifacts go through the server.
https://mlflow.org/docs/latest/ml/tracking/
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import mlflow
import mlflow.models
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import ModelSignature, infer_signature
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from ml_workloads.runtime import records, trusted_types
from ml_workloads.runtime.conductor.copying import copy_logged
from ml_workloads.runtime.conductor.judge import Measured
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.conductor.saved_model import log_saved
from ml_workloads.runtime.errors import PlatformError, ProjectError
from ml_workloads.runtime.gate import Verdict
from ml_workloads.runtime.handover.objects import Objects
from ml_workloads.runtime.retries import fail_early, is_passing
from ml_workloads.runtime.serving.columns import SignatureError, columns_of

T = TypeVar("T")
LOG = logging.getLogger(__name__)
# A database that fails over is back after one to two minutes.
PATIENCE_SECONDS = 300.0
MAX_REASON: Final = 5000
"""Characters of a tag's value that MLflow's servers all keep."""
_UNAUTHORIZED: Final = 401


class TrackingError(PlatformError):
    """The tracking server could not be had for as long as a run waits for it."""


class RecordingError(ProjectError):
    """MLflow answers, and refuses. The message says who can mend it."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A version in the registry, of a run; `has_signature` says that a server can tell from it what the model takes."""

    run_id: str
    version: str
    has_signature: bool


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model that was measured: `saved` as a skops file, `needed` the trusted types in it.

    `description` is of its inputs, `signature` MLflow's for its pages, where it has words for the types.
    """

    saved: bytes
    needed: list[str]
    description: Mapping[str, Any]
    signature: ModelSignature | None

    @staticmethod
    def of(saved: bytes, measured: Measured, trusted: Sequence[str]) -> TrainedModel:
        """Return a measured model; `trusted` is the project's list of types that it may hold."""
        return TrainedModel(
            saved=saved,
            needed=trusted_types.needed(saved, trusted),
            description=measured.description,
            signature=_signature(measured.sample, measured.answers),
        )


class Tracking(Protocol):
    """What a training run needs of where it is recorded."""

    def begin(self, tags: Mapping[str, str], parameters: Mapping[str, str]) -> str: ...

    def met_contract(self, run_id: str) -> None: ...

    def incumbent(self, alias: str) -> Mapping[str, float] | None: ...

    def copy(self, run_id: str, plan: Plan, objects: Objects) -> None: ...

    def finish(self, run_id: str, model: TrainedModel, metrics: Mapping[str, float]) -> Logged: ...

    def judge(self, logged: Logged, verdict: Verdict, alias: str) -> None: ...

    def fail(self, run_id: str, reason: str) -> None: ...


class MlflowTracking:
    """An experiment and a registered model, both with the project's name. `patience` is in seconds."""

    def __init__(self, name: str, *, patience: float = PATIENCE_SECONDS) -> None:
        self._name, self._patience = name, patience
        fail_early()
        self._client = MlflowClient()

    def begin(self, tags: Mapping[str, str], parameters: Mapping[str, str]) -> str:
        """Start a run. One of the same job that was killed before it could say so is ended first.

        Raises:
            RecordingError: the experiment was deleted, or the account may not write to it.
            TrackingError: MLflow did not answer for long.
        """

        def call() -> str:
            experiment = self._experiment()
            for stale in self._unfinished(experiment, tags[records.JOB]):
                self._client.set_terminated(stale, status="KILLED")
            run = self._client.create_run(experiment, tags=dict(tags))
            for name, value in parameters.items():
                self._client.log_param(run.info.run_id, name, value)
            return str(run.info.run_id)

        return self._ask("begin a run", call)

    def met_contract(self, run_id: str) -> None:
        """Record that the run's data met its contract, which a promotion asks for."""
        self._ask(
            "record that the data met its contract",
            lambda: self._client.set_tag(run_id, records.DATA_CONTRACT, records.CONTRACT_MET),
        )

    def incumbent(self, alias: str) -> Mapping[str, float] | None:
        """Return metrics of the version that the alias names, or None when it names none."""

        def call() -> Mapping[str, float] | None:
            try:
                found = self._client.get_model_version_by_alias(self._name, alias)
            except MlflowException as error:
                if records.says_there_is_none(error):
                    return None
                raise
            return dict(self._client.get_run(str(found.run_id)).data.metrics)

        return self._ask("read the model that is there", call)

    def copy(self, run_id: str, plan: Plan, objects: Objects) -> None:
        """Record what the project's code logged, under names that begin with `project.`."""
        copy_logged(self._client, run_id, plan, objects)

    def finish(self, run_id: str, model: TrainedModel, metrics: Mapping[str, float]) -> Logged:
        """Record metrics and model, with a description of what it takes and answers, and end the run.

        Without an example of its inputs, which would be rows of people's data beside every model. A version that an
        attempt before has made, and was not told of, is the one.
        """

        def call() -> str:
            versions = self._versions_of(run_id)
            for name, value in metrics.items():
                self._client.log_metric(run_id, name, value)
            if not versions:
                with mlflow.start_run(run_id=run_id):
                    versions.add(log_saved(self._name, model))
            else:
                self._client.set_terminated(run_id)
            return max(versions, key=int)

        version = self._ask("record the model", call)
        return Logged(run_id=run_id, version=version, has_signature=self._has_signature(version))

    def judge(self, logged: Logged, verdict: Verdict, alias: str) -> None:
        """Record what the gate said, and let the alias name the version when it passed."""
        said = records.GATE_PASSED if verdict.passed else "; ".join(verdict.reasons)

        def call() -> None:
            self._client.set_model_version_tag(self._name, logged.version, records.GATE, said)
            if verdict.passed:
                self._client.set_registered_model_alias(self._name, alias, logged.version)

        self._ask("record what the gate said", call)

    def fail(self, run_id: str, reason: str) -> None:
        """End a run that failed. What keeps the server from being told is not worth more than the failure itself."""
        try:
            self._client.set_tag(run_id, records.FAILURE, reason[:MAX_REASON])
            self._client.set_terminated(run_id, status="FAILED")
        except Exception as error:
            LOG.warning("the run could not be marked as failed: %s", error)

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(self._name)
        if found is None:
            return str(self._client.create_experiment(self._name))
        if found.lifecycle_stage != "active":
            raise RecordingError(
                f"the experiment {self._name} was deleted in MLflow, so that no run can be recorded; the platform's "
                f"administrator restores it with all its runs, signed in as MLflow's administrator: "
                f"mlflow experiments restore --experiment-id {found.experiment_id}"
            )
        return str(found.experiment_id)

    def _has_signature(self, version: str) -> bool:
        """Read from the registered model's own file whether a server can tell what it takes. Loads no model."""

        def call() -> bool:
            found: Any = mlflow.models.get_model_info(f"models:/{self._name}/{version}")
            try:
                return bool(columns_of(found.signature, found.metadata))
            except SignatureError as error:
                LOG.warning("version %s has no signature: %s", version, error)
                return False

        return self._ask("read the model's signature", call)

    def _versions_of(self, run_id: str) -> set[str]:
        found = self._client.search_model_versions(f"name = '{self._name}' and run_id = '{run_id}'")
        return {str(each.version) for each in found}

    def _unfinished(self, experiment: str, job: str) -> list[str]:
        condition = f"attributes.status = 'RUNNING' and tags.{records.JOB} = '{job}'"
        return [str(run.info.run_id) for run in self._client.search_runs([experiment], filter_string=condition)]

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        """Return what a call answers; wait while MLflow does not answer, and say so.

        Raises:
            TrackingError: it did not answer for long, or no longer knows the password.
            RecordingError: it refuses.
        """

        def told(state: RetryCallState) -> None:
            LOG.warning("cannot %s yet, trying again: %s", what, _error(state))

        def given_up(state: RetryCallState) -> Any:
            raise TrackingError(
                f"could not {what} within {self._patience:.0f} s, MLflow does not answer: {_error(state)}"
            ) from _error(state)

        attempts = Retrying(
            retry=retry_if_exception(is_passing),
            stop=stop_after_delay(self._patience),
            wait=wait_exponential(max=15),
            before_sleep=told,
            retry_error_callback=given_up,
        )
        try:
            return attempts(call)
        except RestException as error:
            if error.get_http_status_code() == _UNAUTHORIZED:
                raise TrackingError(
                    f"could not {what}: MLflow does not know the project's password any more"
                ) from error
            raise RecordingError(
                f"MLflow refuses to {what}: {' '.join(str(error).split())[:300]}; MLflow's administrator can mend it"
            ) from error


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _signature(inputs: pd.DataFrame, answers: Any) -> ModelSignature | None:
    """Return MLflow's signature for its pages, where it has words for the types; a server reads the description."""
    try:
        return infer_signature(inputs, answers)
    except (MlflowException, TypeError, ValueError) as error:
        LOG.info("MLflow has no signature for this model: %s", error)
        return None
