"""`python -m ml_workloads.runtime.training`: the training run of a project's image.

Read from the environment: TRAINING_* below, and MLFLOW_TRACKING_URI with MLflow's other variables.

Exit codes, which decide whether Kubernetes starts another pod: 0 trained, whatever the gate said; 1 the project's own
code failed; 2 its data, or its environment, is wrong; 75 MLflow, S3, Secrets Manager, a database or the pod's
credentials did not come for long, which may be better next time.
https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

# At import skops asks every module that is loaded for each of some 800 names: first, that takes 2 s less.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_workloads.runtime import aws
from ml_workloads.runtime.account import sign_in
from ml_workloads.runtime.data import PATIENCE_SECONDS, DataError, LocalFile, S3Objects, Source
from ml_workloads.runtime.errors import Ended, PlatformError, ProjectError
from ml_workloads.runtime.gate import Gate, Metric
from ml_workloads.runtime.objects import load_object
from ml_workloads.runtime.training.inside import guarded
from ml_workloads.runtime.training.run import Plan, run
from ml_workloads.runtime.training.telling import is_platform_fault, one_line, sentence, traceback_of
from ml_workloads.runtime.training.tracking import MlflowTracking

LOG = logging.getLogger("training")
CODE, WRONG, TRY_AGAIN = 1, 2, 75


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LocalDocument(_Document):
    type: Literal["local"]
    path: Path

    def source(self, patience_seconds: float = PATIENCE_SECONDS) -> Source:
        return LocalFile(path=self.path)


class S3Document(_Document):
    type: Literal["s3"]
    bucket: str
    key: str

    def source(self, patience_seconds: float = PATIENCE_SECONDS) -> Source:
        return S3Objects(bucket=self.bucket, key=self.key)


class SqlDocument(_Document):
    """`secret` is the ARN of a secret in Secrets Manager that holds SQLAlchemy's URL as `{"url": ...}`."""

    type: Literal["sql"]
    secret: str
    query: str

    def source(self, patience_seconds: float = PATIENCE_SECONDS) -> Source:
        # Only here: most trainings need none of it, and it takes half a second.
        from ml_workloads.runtime.data.address import HOW_TO_WRITE, parse
        from ml_workloads.runtime.data.database import SqlQuery

        try:
            held = aws.secret(self.secret, seconds=patience_seconds)
        except aws.REFUSALS as error:
            raise DataError(f"secret {self.secret}: {aws.said(error)}") from error
        try:
            url = json.loads(held)["url"]
        except (ValueError, KeyError, TypeError):
            raise DataError(f"secret {self.secret}: {HOW_TO_WRITE}") from None
        parse(self.secret, url)
        return SqlQuery(url=url, query=self.query, secret=self.secret)


class GateDocument(_Document):
    metric: Metric
    bound: FiniteFloat
    max_regression: FiniteFloat = 0.0


class TrainingSettings(BaseSettings):
    """Each is an environment variable: its name in capitals, after `TRAINING_`; documents are JSON."""

    model_config = SettingsConfigDict(env_prefix="TRAINING_", frozen=True)

    project: str = Field(min_length=1)
    job: str = Field(min_length=1)
    revision: str = "unknown"
    data: Annotated[LocalDocument | S3Document | SqlDocument, Field(discriminator="type")]
    contract: str
    target: str
    missing_values: tuple[str, ...] = ("",)
    holdout: float = Field(default=0.2, gt=0, lt=1)
    entrypoint: str
    gate: GateDocument
    alias: str
    trusted_types: tuple[str, ...] = ()
    patience_seconds: float = Field(default=PATIENCE_SECONDS, gt=0)

    def plan(self) -> Plan:
        return Plan(
            job=self.job,
            revision=self.revision,
            source=self.data.source(self.patience_seconds),
            contract=load_object(self.contract),
            target=self.target,
            holdout=self.holdout,
            train=load_object(self.entrypoint),
            gate=Gate(metric=self.gate.metric, bound=self.gate.bound, max_regression=self.gate.max_regression),
            alias=self.alias,
            trusted_types=self.trusted_types,
            missing_values=self.missing_values,
            patience_seconds=self.patience_seconds,
        )


def main() -> int:
    """Return the exit code. What went wrong is the last line of the log, which `kubectl describe` shows too."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, _ended)
    try:
        settings = TrainingSettings()  # pyright: ignore[reportCallIssue] - what is missing comes from the environment
    except ValidationError as error:
        for each in error.errors():
            LOG.error("TRAINING_%s: %s", "_".join(str(step) for step in each["loc"]).upper(), each["msg"])  # noqa: TRY400
        return WRONG
    try:
        sign_in(patience_seconds=settings.patience_seconds)
        with guarded():
            plan = settings.plan()
        run(plan, MlflowTracking(settings.project, patience=settings.patience_seconds))
    except ProjectError as error:
        LOG.error("%s", error)  # noqa: TRY400 - where in our code it was seen helps nobody
        return WRONG
    except PlatformError as error:
        LOG.error("%s", error)  # noqa: TRY400 - where in our code it was seen helps nobody
        return TRY_AGAIN
    except Ended:
        raise
    except (Exception, SystemExit) as error:
        if is_platform_fault(error):
            LOG.error("a service of the platform did not answer to the project's code: %s", one_line(error))  # noqa: TRY400
            return TRY_AGAIN
        LOG.error("%s", traceback_of(error))  # noqa: TRY400 - shortened, an error may hold all of the data
        LOG.error("%s", sentence(error))  # noqa: TRY400
        return CODE
    return 0


def _ended(number: int, _frame: FrameType | None) -> None:
    """Raise Ended, so that the run is recorded as failed before the process ends."""
    raise Ended(128 + number)


if __name__ == "__main__":
    sys.exit(main())
