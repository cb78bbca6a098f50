"""`python -m ml_workloads.runtime.serving`: the server of a project's image.

Read from the environment: SERVING_MODEL and SERVING_ALIAS say what is served, MLFLOW_TRACKING_URI and MLflow's other
variables where it is had from. SIGTERM ends it when the requests that it works on are answered.
"""

from __future__ import annotations

import gc
import logging
import signal
import sys

# At import skops asks every module that is loaded for each of some 800 names: first, that takes 2 s less.
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

# As shells and Kubernetes count a process that SIGTERM has ended.
TERMINATED = 128 + signal.SIGTERM


class ServingSettings(BaseSettings):
    """Each is an environment variable: its name in capitals, after `SERVING_`."""

    model_config = SettingsConfigDict(env_prefix="SERVING_", frozen=True)

    model: str = Field(min_length=1)
    alias: str = Field(min_length=1)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    max_concurrency: int = Field(default=32, ge=1)
    max_bytes: int = Field(default=MAX_BYTES, ge=1)
    # For the whole body of a request, and as much again for its headers before.
    body_seconds: float = Field(default=BODY_SECONDS, gt=0)
    scratch_bytes: int = Field(default=SCRATCH_BYTES, ge=1)
    # A JSON list of `module.Class`: the project's own types that its saved models hold.
    trusted_types: tuple[str, ...] = ()
    follow_seconds: float = Field(default=FOLLOW_SECONDS, gt=0)
    # Kubernetes kills a pod 30 seconds after it asked it to end.
    shutdown_seconds: int = Field(default=25, ge=1)


def settings_from_environment() -> ServingSettings:
    try:
        return ServingSettings()  # pyright: ignore[reportCallIssue] - what is missing here comes from the environment
    except ValidationError as error:
        lines = [f"  SERVING_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        sys.exit("\n".join(["error: the server's environment is not complete:", *lines]))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = settings_from_environment()
    # Libraries keep these objects for good; looking at them at each exchange of a version would hold up answers.
    gc.freeze()
    metrics = Metrics()
    # uvicorn sends itself the signal again when it has ended; without this, nothing would be tidied up after it.
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
    """Answer until the process is told to end."""
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
