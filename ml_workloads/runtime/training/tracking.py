"""Where runs and models are recorded: MLflow.

Address and credentials come from MLflow's own environment variables; artifacts go through the server.
https://mlflow.org/docs/latest/ml/tracking/
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, Protocol, TypeVar

import mlflow
import mlflow.models
import mlflow.sklearn
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import ModelSignature, infer_signature
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from ml_workloads.runtime import records, trusted_types
from ml_workloads.runtime.errors import PlatformError, ProjectError
from ml_workloads.runtime.gate import Verdict
from ml_workloads.runtime.retries import fail_early, is_passing
from ml_workloads.runtime.serving.columns import INPUTS, SignatureError, columns_of, describe
from ml_workloads.runtime.training import reserved
from ml_workloads.runtime.training.inside import running, without_autologging

T = TypeVar("T")
LOG = logging.getLogger(__name__)
# A database that fails over is back after one to two minutes.
PATIENCE_SECONDS = 300.0
MAX_REASON: Final = 5000
"""Characters of a tag's value that MLflow's servers all keep."""
_UNAUTHORIZED: Final = 401
_LAST_STEP: Final = 2**63 - 1
# Named, because MLflow would load the model in another process to find out what it imports.
REQUIREMENTS = [f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops")]


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


class Tracking(Protocol):
    """What a training run needs of where it is recorded."""

    def begin(self, tags: Mapping[str, str], parameters: Mapping[str, str]) -> str: ...

    def met_contract(self, run_id: str) -> None: ...

    def incumbent(self, alias: str) -> Mapping[str, float] | None: ...

    def active(self, run_id: str) -> AbstractContextManager[None]: ...

    def finish(
        self, run_id: str, model: Any, inputs: pd.DataFrame, metrics: Mapping[str, float], trusted: Sequence[str]
    ) -> Logged: ...

    def judge(self, logged: Logged, verdict: Verdict, alias: str) -> None: ...

    def fail(self, run_id: str, reason: str) -> None: ...


class MlflowTracking:
    """An experiment and a registered model, both with the project's name. `patience` is in seconds."""

    def __init__(self, name: str, *, patience: float = PATIENCE_SECONDS) -> None:
        self._name, self._patience = name, patience
        self._tags: dict[str, dict[str, str]] = {}
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
            self._tags[str(run.info.run_id)] = dict(tags)
            return str(run.info.run_id)

        return self._ask("begin a run", call)

    def met_contract(self, run_id: str) -> None:
        """Record that the run's data met its contract, which a promotion asks for."""
        self._ask(
            "record that the data met its contract",
            lambda: self._client.set_tag(run_id, records.DATA_CONTRACT, records.CONTRACT_MET),
        )
        self._tags[run_id][records.DATA_CONTRACT] = records.CONTRACT_MET

    @contextmanager
    def active(self, run_id: str) -> Generator[None]:
        """Let the project's code log to the run with `mlflow` while this lasts."""
        run = self._ask("read the run", lambda: self._client.get_run(run_id))
        with running(run):
            yield

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

    def finish(
        self, run_id: str, model: Any, inputs: pd.DataFrame, metrics: Mapping[str, float], trusted: Sequence[str]
    ) -> Logged:
        """Record metrics and model, with a description of what it takes and answers, and end the run.

        Without an example of its inputs, which would be rows of people's data beside every model. A version that an
        attempt before has made, and was not told of, is the one; what the project registered itself is not.

        Args:
            run_id: As `begin` gave it.
            model: As `train` returned it.
            inputs: The table that it was trained and measured on, without the target.
            metrics: They win over those of the same name that the project logged.
            trusted: The project's list of types that a saved model may hold.
        """
        needed = trusted_types.needed(trusted_types.save(model), trusted)
        metadata, signature = {INPUTS: describe(inputs)}, _signature(inputs, model)
        others = self._ask("read the run's versions", lambda: self._versions_of(run_id))

        def call() -> str:
            versions = self._versions_of(run_id) - others
            with mlflow.start_run(run_id=run_id):
                self._log(run_id, metrics)
                reserved.write_again(self._client, run_id, self._tags.get(run_id, {}))
                if not versions:
                    versions.add(self._register(model, signature, needed, metadata))
            return max(versions, key=int)

        with without_autologging():
            version = self._ask("record the model", call)
        return Logged(run_id=run_id, version=version, has_signature=self._has_signature(version))

    def _register(self, model: Any, signature: Any, needed: list[str], metadata: Mapping[str, Any]) -> str:
        with trusted_types.savable_distributions():
            logged: Any = mlflow.sklearn.log_model(  # pyright: ignore[reportPrivateImportUsage]
                model,
                name="model",
                signature=signature,
                registered_model_name=self._name,
                skops_trusted_types=needed,
                pip_requirements=REQUIREMENTS,
                metadata=dict(metadata),
            )
        return str(logged.registered_model_version)

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

    def _log(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Log metrics so that they are the latest of their name: MLflow takes the one with the highest step for it."""
        given = self._client.get_run(run_id).data.metrics
        now = int(time.time() * 1000)
        for name, value in metrics.items():
            history = self._client.get_metric_history(run_id, name) if name in given else []
            step = max((each.step + 1 for each in history), default=0)
            if step > _LAST_STEP:
                raise RecordingError(f"train logs the metric {name} with step {step - 1}; log it under another name")
            self._client.log_metric(run_id, name, value, timestamp=now, step=step)

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


def _signature(inputs: pd.DataFrame, model: Any) -> ModelSignature | None:
    """Return MLflow's signature for its pages, where it has words for the types; a server reads the description."""
    rows = inputs.head(1000)
    try:
        return infer_signature(rows, model.predict(rows))
    except (MlflowException, TypeError, ValueError) as error:
        LOG.info("MLflow has no signature for this model: %s", error)
        return None
