"""Runs the `mlflow` calls of a project's training code inside one run, and restores MLflow's state afterwards.

Values that `train` logs belong to that run, and `mlflow.start_run()` creates a child of it. Calls that would lead to
another server, experiment or registered version are ignored with a line in the log.
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.html
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow import MlflowClient, models, tracking
from mlflow.tracking import fluent
from mlflow.tracking._model_registry import fluent as registering
from mlflow.tracking._model_registry import utils as registry_address
from mlflow.tracking._tracking_service import utils as tracking_address
from mlflow.utils import autologging_utils
from mlflow.utils.autologging_utils import safety

from ml_workloads.runtime.errors import ProjectError

LOG = logging.getLogger(__name__)
_autologging: Any = autologging_utils
_safety: Any = safety
_PARAMETERS: Final = ("experiment_id", "run_name", "nested", "parent_run_id", "tags", "description")
# MLflow has no public API to save and restore its state: active runs by thread, and the patches of autologging.
_inner: Any = fluent
_START: Final[Callable[..., Any]] = _inner.start_run
_END: Final[Callable[..., Any]] = _inner.end_run
_GET_OR_START: Final[Callable[..., Any]] = _inner._get_or_start_run


class _Session:
    """The platform's run that the project's code is in. `run` is None while its modules are imported."""

    run: Any = None


@contextmanager
def guarded() -> Generator[None]:
    """Ignore `mlflow` calls that lead elsewhere, while the project's code is imported and runs."""
    patches = _patches()
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
    for owner, name, new in patches:
        setattr(owner, name, new)
    try:
        yield
    finally:
        for owner, name, old in before:
            setattr(owner, name, old)


@contextmanager
def running(run: Any) -> Generator[None]:
    """Make the run active inside the block. It continues to run afterwards; runs that were started inside are ended.

    Raises:
        ProjectError: the project's code registers a model itself.
    """
    run_id = run.info.run_id
    with guarded(), _restored():
        stack: list[Any] = _inner._active_run_stack.get()
        stack.append(fluent.ActiveRun(run))
        _inner._active_experiment_id = run.info.experiment_id
        before, _Session.run = _Session.run, run
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        finally:
            while stack and stack[-1].info.run_id != run_id:
                _END(status)
            with suppress(Exception):
                mlflow.flush_async_logging()
            if stack:
                stack.pop()
            _Session.run = before


@contextmanager
def thrown_away() -> Generator[None]:
    """Give the project's code a run in a store that is deleted at the end. Autologging is disabled there."""
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder, _restored():
        address = (Path(folder) / "mlflow").as_uri()
        os.environ.pop("MLFLOW_RUN_ID", None)
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        tracking_address.set_tracking_uri(address)
        registry_address.set_registry_uri(address)
        client = MlflowClient()
        run = client.create_run(client.create_experiment("preflight"))
        with autologging_utils.disable_autologging(), running(run):
            yield


@contextmanager
def without_autologging() -> Generator[None]:
    """Disable autologging while the platform itself works with the project's model."""
    with autologging_utils.disable_autologging():
        yield


@contextmanager
def _restored() -> Generator[None]:
    """Restore MLflow's variables, addresses, experiment and autologging at the end of the block."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_")}
    server: Any = tracking_address
    registry: Any = registry_address
    addresses = server._tracking_uri, registry._registry_uri, _inner._active_experiment_id
    logging_of: dict[str, Any] = dict(_autologging.AUTOLOGGING_INTEGRATIONS)
    try:
        yield
    finally:
        _stop_autologging(logging_of)
        server._tracking_uri, registry._registry_uri, _inner._active_experiment_id = addresses
        for name in [name for name in os.environ if name.startswith("MLFLOW_") and name not in variables]:
            del os.environ[name]
        os.environ.update(variables)


def _stop_autologging(before: Mapping[str, Any]) -> None:
    """Undo the autologging that was switched on since. Autologging that a module switched on at import stays."""
    now: dict[str, Any] = _autologging.AUTOLOGGING_INTEGRATIONS
    for name in [name for name, settings in now.items() if settings is not before.get(name)]:
        was_on = bool(before.get(name)) and not before[name].get("disable", False)
        if not was_on:
            _safety.revert_patches(name)
        now[name] = before.get(name, {})


def _patches() -> list[tuple[Any, str, Callable[..., Any]]]:
    return [
        *((owner, "start_run", _start_run) for owner in (mlflow, _inner)),
        *((owner, "end_run", _end_run) for owner in (mlflow, _inner)),
        (_inner, "_get_or_start_run", _get_or_start_run),
        *((owner, "set_experiment", _set_experiment) for owner in (mlflow, _inner)),
        *((owner, "set_tracking_uri", _passed_over("set_tracking_uri")) for owner in (mlflow, tracking)),
        *((owner, "set_registry_uri", _passed_over("set_registry_uri")) for owner in (mlflow, tracking)),
        (registering, "_register_model", _register_model),
        (models, "infer_pip_requirements", _requirements),
    ]


def _start_run(run_id: str | None = None, *given: Any, **named: Any) -> Any:
    """Start a child of the platform's run, unless a run is named."""
    if _Session.run is None or run_id is not None:
        return _START(run_id, *given, **named)
    wanted = {**dict(zip(_PARAMETERS, given, strict=False)), **named}
    wanted["nested"], wanted["experiment_id"] = True, _Session.run.info.experiment_id
    if not _inner._active_run_stack.get():
        wanted["parent_run_id"] = wanted.get("parent_run_id") or _Session.run.info.run_id
    return _START(**wanted)


def _end_run(*given: Any, **named: Any) -> None:
    """End a run that the project's code started. The platform ends its own run itself."""
    stack = _inner._active_run_stack.get()
    if _Session.run is not None and stack and stack[-1].info.run_id == _Session.run.info.run_id:
        LOG.info("mlflow.end_run() is passed over: the platform ends its run when the model is measured")
        return
    _END(*given, **named)


def _get_or_start_run() -> Any:
    """Return the run to log to. In threads of the project's code it is the platform's run too."""
    stack = _inner._active_run_stack.get()
    return _Session.run if _Session.run is not None and not stack else _GET_OR_START()


def _set_experiment(*_given: Any, **_named: Any) -> Any:
    LOG.warning("mlflow.set_experiment() is passed over: the run belongs to the project's experiment")
    return MlflowClient().get_experiment(_Session.run.info.experiment_id) if _Session.run is not None else None


def _passed_over(name: str) -> Callable[..., None]:
    def call(*_given: Any, **_named: Any) -> None:
        LOG.warning("mlflow.%s() is passed over: the run belongs to the platform's MLflow", name)

    return call


def _register_model(*_given: Any, local_model_path: Any = None, **_named: Any) -> None:
    """Ignore the registration: a model that is logged under a registered name is only logged.

    Raises:
        ProjectError: the project's code registers a model directly.
    """
    if local_model_path is None:
        raise ProjectError(
            "train registers a model with mlflow.register_model; leave the call out, because the platform registers "
            "the model that train returns after it was measured"
        )
    LOG.warning("registered_model_name is passed over: the platform registers the model that train returns")


def _requirements(_model: str, _flavor: str, fallback: list[str] | None = None, **_named: Any) -> list[str]:
    """Return only the packages that a model always needs.

    MLflow would load the model in another process to find more packages, which takes minutes on a busy node.
    """
    return fallback or []
