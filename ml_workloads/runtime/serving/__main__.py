"""`python -m ml_workloads.runtime.serving`: the server of a project's image.

The process reads its settings from the environment: SERVING_MODEL and SERVING_ALIAS name the model, MLFLOW_TRACKING_URI
and MLflow's other variables the registry. On SIGTERM it ends after the current requests are answered.
"""

from __future__ import annotations

import gc
import logging
import signal
import sys

# At import skops searches every loaded module for each of some 800 names. Importing it first saves 2 s.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
import uvicorn
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_workloads.runtime.serving.application import MAX_BYTES, Metrics, application
from ml_workloads.runtime.serving.bodies import BODY_SECONDS
from ml_workloads.runtime.serving.connections import protocol
from ml_workloads.runtime.serving.mlflow_registry import MlflowRegistry
from ml_workloads.runtime.serving.models import FOLLOW_SECONDS, Follower
from ml_workloads.runtime.serving.scratch import SCRATCH_BYTES, Scratch

# Exit code by which shells and Kubernetes recognise a process that SIGTERM ended.
TERMINATED = 128 + signal.SIGTERM


class ServingSettings(BaseSettings):
    """Settings of a server. Each is an environment variable: `SERVING_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="SERVING_", frozen=True)

    model: str = Field(min_length=1)
    alias: str = Field(min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    max_concurrency: int = Field(default=32, ge=1)
    max_bytes: int = Field(default=MAX_BYTES, ge=1)
    # Limit for the whole body of a request, and the same again for its headers before.
    body_seconds: float = Field(default=BODY_SECONDS, gt=0)
    scratch_bytes: int = Field(default=SCRATCH_BYTES, ge=1)
    # A JSON list of `module.Class`: the project's own types that its saved models contain.
    trusted_types: tuple[str, ...] = ()
    follow_seconds: float = Field(default=FOLLOW_SECONDS, gt=0)
    # Kubernetes kills a pod 30 seconds after SIGTERM.
    shutdown_seconds: int = Field(default=25, ge=1)


def settings_from_environment() -> ServingSettings:
    """Return the settings. If the environment is incomplete, end the process with a list of the problems."""
    try:
        return ServingSettings()  # pyright: ignore[reportCallIssue] - what is missing here comes from the environment
    except ValidationError as error:
        lines = [f"  SERVING_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        sys.exit("\n".join(["error: the server's environment is not complete:", *lines]))


def main() -> None:
    """Run the server until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = settings_from_environment()
    # Libraries keep these objects permanently. Scanning them at each change of the version would delay answers.
    gc.freeze()
    metrics = Metrics()
    # uvicorn sends itself the signal again after its shutdown. Without this handler no cleanup would run after it.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(TERMINATED))
    scratch = Scratch(settings.scratch_bytes)
    registry = MlflowRegistry(settings.model, settings.alias, settings.trusted_types, scratch)
    follower = Follower(registry, seconds=settings.follow_seconds, on_failure=metrics.failed)
    follower.start()
    try:
        serve(settings, follower, metrics)
    finally:
        follower.stop()
        scratch.close()


def serve(settings: ServingSettings, follower: Follower, metrics: Metrics) -> None:
    """Serve requests until the process is terminated."""
    uvicorn.run(
        application(
            follower,
            metrics,
            max_concurrency=settings.max_concurrency,
            max_bytes=settings.max_bytes,
            body_seconds=settings.body_seconds,
        ),
        host=settings.host,
        port=settings.port,
        http=protocol(settings.body_seconds),
        access_log=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


if __name__ == "__main__":
    main()
