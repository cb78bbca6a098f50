"""`python -m ml_workloads.runtime.conductor`: a training run of a project, in a pod of the platform's image.

The process reads its settings from the environment: CONDUCTOR_* below, and MLFLOW_TRACKING_URI with MLflow's other
variables. Its exit code decides whether Kubernetes starts another pod:

- 0: trained, whatever the result of the gate.
- 1: the project's own code failed.
- 2: the project's data, contract or settings are wrong.
- 75: MLflow, S3, Secrets Manager, a database, Kubernetes or the pod's credentials did not answer for long. A retry may
  succeed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
"""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType
from typing import Annotated

# At import skops searches every loaded module for each of some 800 names. Importing it first saves 2 s.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_workloads.runtime import last_words, log
from ml_workloads.runtime.account import sign_in
from ml_workloads.runtime.conductor.cluster import Cluster
from ml_workloads.runtime.conductor.conduct import conduct
from ml_workloads.runtime.conductor.jobs import JobPods, Owner
from ml_workloads.runtime.conductor.plan import Plan
from ml_workloads.runtime.conductor.sources import LocalDocument, S3Document, SqlDocument
from ml_workloads.runtime.conductor.tracking import MlflowTracking
from ml_workloads.runtime.data import PATIENCE_SECONDS
from ml_workloads.runtime.errors import CodeError, Ended, PlatformError, ProjectError
from ml_workloads.runtime.handover.objects import Bucket
from ml_workloads.runtime.settings import read
from ml_workloads.runtime.training.__main__ import GateDocument

LOG = logging.getLogger("conductor")
CODE, WRONG, TRY_AGAIN = 1, 2, 75


class ConductorSettings(BaseSettings):
    """Settings of a conductor.

    Each is an environment variable: `CONDUCTOR_` and its name in capitals; documents are JSON.
    `job` and `job_uid` are the run's own Job, and `bucket` is where its pods exchange objects.
    """

    model_config = SettingsConfigDict(env_prefix="CONDUCTOR_", frozen=True)

    project: str = Field(min_length=1)
    namespace: str = Field(min_length=1)
    job: str = Field(min_length=1)
    job_uid: str = Field(min_length=1)
    bucket: str = Field(min_length=1)
    revision: str = "unknown"
    data: Annotated[LocalDocument | S3Document | SqlDocument, Field(discriminator="type")]
    target: str
    missing_values: tuple[str, ...] = ("",)
    holdout: float = Field(default=0.2, gt=0, lt=1)
    gate: GateDocument
    alias: str
    trusted_types: tuple[str, ...] = ()
    patience_seconds: float = Field(default=PATIENCE_SECONDS, gt=0)

    def plan(self) -> Plan:
        return Plan(
            project=self.project,
            job=self.job,
            revision=self.revision,
            target=self.target,
            holdout=self.holdout,
            gate=self.gate.gate(),
            alias=self.alias,
            trusted_types=self.trusted_types,
            missing_values=self.missing_values,
            patience_seconds=self.patience_seconds,
        )


def main() -> int:
    """Run the conductor and return the exit code.

    An error is the last line of the log, which `kubectl describe` shows too.
    """
    log.begin()
    signal.signal(signal.SIGTERM, _ended)
    settings = read(ConductorSettings, LOG)
    if settings is None:
        return WRONG
    try:
        _run(settings)
    except CodeError as error:
        return _said(error, CODE)
    except ProjectError as error:
        return _said(error, WRONG)
    except PlatformError as error:
        return _said(error, TRY_AGAIN)
    return 0


def _run(settings: ConductorSettings) -> None:
    patience = settings.patience_seconds
    sign_in(patience_seconds=patience)
    cluster = Cluster(settings.namespace, patience=patience)
    pods = JobPods(cluster, Owner(name=settings.job, uid=settings.job_uid), relay)
    conduct(
        settings.plan(),
        lambda worker: settings.data.source(worker, patience),
        pods,
        Bucket(settings.bucket, patience=patience),
        MlflowTracking(settings.project, patience=patience),
    )


def relay(line: str) -> None:
    """Write a line of the training's log, marked so that it is not mistaken for a line of the conductor."""
    print(f"| {line}", flush=True)


def _said(error: Exception, code: int) -> int:
    LOG.error("%s", error)
    last_words.write(str(error))
    return code


def _ended(number: int, _frame: FrameType | None) -> None:
    """Raise Ended, so that the run is recorded as failed and its Jobs are deleted before the process ends."""
    raise Ended(128 + number)


if __name__ == "__main__":
    sys.exit(main())
