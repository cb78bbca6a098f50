"""Where runs and models are recorded: MLflow.

Address and credentials come from MLflow's own environment variables; artifacts go through the server.
https://mlflow.org/docs/latest/ml/tracking/
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import mlflow
import mlflow.sklearn
import pandas as pd
import skops.io as skops
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.models import infer_signature
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from ml_workloads.runtime import records
from ml_workloads.runtime.gate import Verdict
from ml_workloads.runtime.retries import fail_early

LOG = logging.getLogger(__name__)
# A database that fails over is back after one to two minutes.
PATIENCE_SECONDS = 300.0
# Named, because MLflow would load the model in another process to find out what it imports.
REQUIREMENTS = [f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops")]


class TrackingError(RuntimeError):
    """The tracking server could not be had for as long as a run waits for it."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A version in the registry, of a run."""

    run_id: str
    version: str


class Tracking(Protocol):
    """What a training run needs of where it is recorded."""

    def begin(self, tags: Mapping[str, str], parameters: Mapping[str, str]) -> str: ...

    def met_contract(self, run_id: str) -> None: ...

    def incumbent(self, alias: str) -> Mapping[str, float] | None: ...

    def finish(self, run_id: str, model: Any, inputs: pd.DataFrame, metrics: Mapping[str, float]) -> Logged: ...

    def judge(self, logged: Logged, verdict: Verdict, alias: str) -> None: ...

    def fail(self, run_id: str, reason: str) -> None: ...


class MlflowTracking:
    """An experiment and a registered model, both with the project's name. `patience` is in seconds."""

    def __init__(self, name: str, *, patience: float = PATIENCE_SECONDS) -> None:
        self._name, self._patience = name, patience
        fail_early()
        self._client = MlflowClient()

    def begin(self, tags: Mapping[str, str], parameters: Mapping[str, str]) -> str:
        """Start a run. One of the same job that was killed before it could say so is ended first."""
        for attempt in self._attempts("begin a run"):
            with attempt:
                experiment = mlflow.set_experiment(self._name).experiment_id
                for stale in self._unfinished(experiment, tags[records.JOB]):
                    self._client.set_terminated(stale, status="KILLED")
                run = self._client.create_run(experiment, tags=dict(tags))
                for name, value in parameters.items():
                    self._client.log_param(run.info.run_id, name, value)
                return str(run.info.run_id)
        raise AssertionError("the attempts end with a result or an error")

    def met_contract(self, run_id: str) -> None:
        """Record that the run's data met its contract, which a promotion asks for."""
        for attempt in self._attempts("record that the data met its contract"):
            with attempt:
                self._client.set_tag(run_id, records.DATA_CONTRACT, records.CONTRACT_MET)

    def incumbent(self, alias: str) -> Mapping[str, float] | None:
        """Metrics of the version that the alias names, or None when it names none."""
        for attempt in self._attempts("read the model that is there"):
            with attempt:
                try:
                    found = self._client.get_model_version_by_alias(self._name, alias)
                except MlflowException as error:
                    if records.says_there_is_none(error):
                        return None
                    raise
                return dict(self._client.get_run(str(found.run_id)).data.metrics)
        raise AssertionError("the attempts end with a result or an error")

    def finish(self, run_id: str, model: Any, inputs: pd.DataFrame, metrics: Mapping[str, float]) -> Logged:
        """Record metrics and model, with the signature of what it takes and answers, and end the run.

        Without an example of its inputs, which would be rows of people's data beside every model. A version that an
        attempt before has made, and was not told of, is the one.
        """
        for attempt in self._attempts("record the model"):
            with attempt, mlflow.start_run(run_id=run_id):
                mlflow.log_metrics(dict(metrics))
                if made := self._version_of(run_id):
                    return Logged(run_id=run_id, version=made)
                logged: Any = mlflow.sklearn.log_model(  # pyright: ignore[reportPrivateImportUsage]
                    model,
                    name="model",
                    signature=infer_signature(inputs, model.predict(inputs)),
                    registered_model_name=self._name,
                    skops_trusted_types=trusted_types(model),
                    pip_requirements=REQUIREMENTS,
                )
                return Logged(run_id=run_id, version=str(logged.registered_model_version))
        raise AssertionError("the attempts end with a result or an error")

    def judge(self, logged: Logged, verdict: Verdict, alias: str) -> None:
        """Record what the gate said, and let the alias name the version when it passed."""
        said = records.GATE_PASSED if verdict.passed else "; ".join(verdict.reasons)
        for attempt in self._attempts("record what the gate said"):
            with attempt:
                self._client.set_model_version_tag(self._name, logged.version, records.GATE, said)
                if verdict.passed:
                    self._client.set_registered_model_alias(self._name, alias, logged.version)

    def fail(self, run_id: str, reason: str) -> None:
        """End a run that failed. What keeps the server from being told is not worth more than the failure itself."""
        try:
            self._client.set_tag(run_id, records.FAILURE, reason[:5000])
            self._client.set_terminated(run_id, status="FAILED")
        except Exception as error:
            LOG.warning("the run could not be marked as failed: %s", error)

    def _version_of(self, run_id: str) -> str | None:
        found = self._client.search_model_versions(f"name = '{self._name}' and run_id = '{run_id}'")
        return max((str(each.version) for each in found), key=int, default=None)

    def _unfinished(self, experiment: str, job: str) -> list[str]:
        condition = f"attributes.status = 'RUNNING' and tags.{records.JOB} = '{job}'"
        return [str(run.info.run_id) for run in self._client.search_runs([experiment], filter_string=condition)]

    def _attempts(self, what: str) -> Retrying:
        def told(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            LOG.warning("cannot %s yet, trying again: %s", what, error)

        def given_up(state: RetryCallState) -> Any:
            error = state.outcome.exception() if state.outcome else None
            raise TrackingError(
                f"could not {what} within {self._patience:.0f} s, MLflow does not answer: {error}"
            ) from error

        return Retrying(
            retry=retry_if_exception(is_passing),
            stop=stop_after_delay(self._patience),
            wait=wait_exponential(max=15),
            before_sleep=told,
            retry_error_callback=given_up,
        )


def is_passing(error: BaseException) -> bool:
    """Whether it may work later: no connection, or a server that says so itself; not what the server refuses."""
    if isinstance(error, RestException):
        return error.get_http_status_code() >= 500
    if isinstance(error, MlflowException):
        return "API request to" in str(error)
    return isinstance(error, ConnectionError | TimeoutError)


def trusted_types(model: Any) -> list[str]:
    """Types of scikit-learn's own compiled parts, without which most of its models cannot be loaded.

    They are named one by one, because skops refuses whatever else a file may hold.
    https://skops.readthedocs.io/en/stable/persistence.html
    """
    return [name for name in skops.get_untrusted_types(data=skops.dumps(model)) if name.startswith("sklearn.")]
