"""Records runs and models in MLflow.

Address and credentials come from MLflow's own environment variables; artifacts are transferred through the server.
https://mlflow.org/docs/latest/ml/tracking/
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, cast

import mlflow
import mlflow.models
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import ModelSignature
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
# The failover of a database takes one to two minutes.
PATIENCE_SECONDS = 300.0
MAX_REASON: Final = 5000
"""Maximum length of a tag's value that all MLflow servers accept, in characters."""
_UNAUTHORIZED: Final = 401


class TrackingError(PlatformError):
    """The tracking server was not available for as long as a run waits for it."""


class RecordingError(ProjectError):
    """MLflow answers with a rejection. The message says who can fix it."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A registered version of a run. `has_signature`: a server can derive the model's inputs from the version."""

    run_id: str
    version: str
    has_signature: bool


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model that was evaluated: `saved` is the skops file, `needed` are the trusted types in it.

    `description` describes its inputs. `signature` is MLflow's own, for its web pages; it is None if MLflow has no
    names for the types.
    """

    saved: bytes
    needed: list[str]
    description: Mapping[str, Any]
    signature: ModelSignature | None

    @staticmethod
    def of(saved: bytes, measured: Measured, trusted: Sequence[str]) -> TrainedModel:
        """Return an evaluated model. `trusted` is the project's list of types that the model may hold."""
        return TrainedModel(
            saved=saved,
            needed=trusted_types.needed(saved, trusted),
            description=measured.description,
            signature=_signature(measured.sample, measured.answers),
        )


class Tracking(Protocol):
    """Operations of the tracking server that a training run needs."""

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
        """Start a run, and first end an unfinished run of the same job, which a killed attempt left behind.

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
        """Record that the run's data met its contract. A promotion requires this."""
        self._ask(
            "record that the data met its contract",
            lambda: self._client.set_tag(run_id, records.DATA_CONTRACT, records.CONTRACT_MET),
        )

    def incumbent(self, alias: str) -> Mapping[str, float] | None:
        """Return the metrics of the version that has the alias, or None if no version has it."""

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
        """Record what the project's code logged, with names that begin with `project.`."""
        copy_logged(self._client, run_id, plan, objects)

    def finish(self, run_id: str, model: TrainedModel, metrics: Mapping[str, float]) -> Logged:
        """Record metrics and model, with a description of its inputs and predictions, and end the run.

        No example of the inputs is recorded, because it would store rows of personal data beside every model. If an
        earlier attempt registered a version without receiving the answer, that version is used.
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
        """Record the verdict of the gate, and set the alias to the version if it passed."""
        said = records.GATE_PASSED if verdict.passed else "; ".join(verdict.reasons)

        def call() -> None:
            self._client.set_model_version_tag(self._name, logged.version, records.GATE, said)
            if verdict.passed:
                self._client.set_registered_model_alias(self._name, alias, logged.version)

        self._ask("record what the gate said", call)

    def fail(self, run_id: str, reason: str) -> None:
        """End a run that failed. If MLflow cannot be reached, only log that: it must not hide the original failure."""
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
        """Read from the registered model's own file whether a server can derive its inputs. Loads no model."""

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
        """Return the result of a call. While MLflow does not answer, log that and retry.

        Raises:
            TrackingError: MLflow did not answer for long, or no longer accepts the password.
            RecordingError: MLflow rejects the call.
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
    """Return MLflow's signature for its web pages, or None if it cannot express the types.

    A server reads the description instead.
    """
    try:
        return cast("Any", mlflow.models).infer_signature(inputs, answers)
    except (MlflowException, TypeError, ValueError) as error:
        LOG.info("MLflow has no signature for this model: %s", error)
        return None
