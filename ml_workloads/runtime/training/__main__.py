"""`python -m ml_workloads.runtime.training`: training in a pod of the project's image, which has the rows to train on.

The process reads its settings from the environment: TRAINING_* below. The pod has no account at MLflow: what the
project's code logs goes to the pod's own volume. Its exit code decides whether Kubernetes starts another pod:

- 0: trained.
- 1: the project's own code failed.
- 2: the project's data or environment is wrong.
- 75: S3 or the pod's credentials were not available for long. A retry may succeed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
"""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

# At import skops searches every loaded module for each of some 800 names. Importing it first saves 2 s.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_workloads.runtime import last_words, log
from ml_workloads.runtime.data import PATIENCE_SECONDS
from ml_workloads.runtime.errors import Ended, PlatformError, ProjectError
from ml_workloads.runtime.gate import Gate, Metric
from ml_workloads.runtime.handover import keys, tables
from ml_workloads.runtime.handover.objects import Bucket, Objects
from ml_workloads.runtime.objects import load_object
from ml_workloads.runtime.settings import read
from ml_workloads.runtime.training.inside import guarded
from ml_workloads.runtime.training.local_tracking import LocalTracking
from ml_workloads.runtime.training.run import Plan, Trained, train
from ml_workloads.runtime.training.telling import is_platform_fault, one_line, sentence, traceback_of

LOG = logging.getLogger("training")
CODE, WRONG, TRY_AGAIN = 1, 2, 75


class GateDocument(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Metric
    bound: FiniteFloat
    max_regression: FiniteFloat = 0.0

    def gate(self) -> Gate:
        return Gate(metric=self.metric, bound=self.bound, max_regression=self.max_regression)


class TrainingSettings(BaseSettings):
    """Settings of a training.

    Each is an environment variable: `TRAINING_` and its name in capitals; documents are JSON.
    `bucket` holds the rows, and receives the model.
    """

    model_config = SettingsConfigDict(env_prefix="TRAINING_", frozen=True)

    project: str = Field(min_length=1)
    job: str = Field(min_length=1)
    bucket: str = Field(min_length=1)
    contract: str
    target: str
    entrypoint: str
    gate: GateDocument
    holdout: float = Field(default=0.2, gt=0, lt=1)
    trusted_types: tuple[str, ...] = ()
    patience_seconds: float = Field(default=PATIENCE_SECONDS, gt=0)

    def plan(self) -> Plan:
        return Plan(
            contract=load_object(self.contract),
            target=self.target,
            train=load_object(self.entrypoint),
            gate=self.gate.gate(),
            holdout=self.holdout,
            trusted_types=self.trusted_types,
        )


def main(objects: Objects | None = None) -> int:
    """Run the training and return the exit code.

    An error is the last line of the log, which `kubectl describe` shows too.
    """
    log.begin()
    signal.signal(signal.SIGTERM, _ended)
    settings = read(TrainingSettings, LOG)
    if settings is None:
        return WRONG
    try:
        _train(settings, objects or Bucket(settings.bucket, patience=settings.patience_seconds))
    except ProjectError as error:
        return _said(str(error), WRONG)
    except PlatformError as error:
        return _said(str(error), TRY_AGAIN)
    except Ended:
        raise
    except (Exception, SystemExit) as error:
        if is_platform_fault(error):
            return _said(
                f"a service of the platform did not answer to the project's code: {one_line(error)}", TRY_AGAIN
            )
        LOG.error("%s", traceback_of(error))  # noqa: TRY400 - shortened, an error may hold all of the data
        return _said(sentence(error), CODE)
    return 0


def _said(text: str, code: int) -> int:
    LOG.error("%s", text)
    last_words.write(text)
    return code


def _train(settings: TrainingSettings, objects: Objects) -> None:
    key = keys.training_part(settings.project, settings.job)
    content = objects.get(key)
    if content is None:
        raise PlatformError(f"there are no rows to train on at {key}; the run's conductor writes them")
    rows = tables.from_bytes(content)
    LOG.info("got %d rows to train on", len(rows))
    with tempfile.TemporaryDirectory(prefix="training-") as folder:
        tracking = LocalTracking(Path(folder), settings.project)
        with guarded():
            plan = settings.plan()
        _hand_over(settings, objects, train(plan, rows, tracking))


def _hand_over(settings: TrainingSettings, objects: Objects, trained: Trained) -> None:
    project, job = settings.project, settings.job
    for number, file in trained.files.items():
        objects.put(f"{keys.artifacts(project, job)}{number}", file.read_bytes())
    objects.put(keys.logged(project, job), trained.logged.model_dump_json().encode())
    objects.put(keys.model(project, job), trained.saved)
    LOG.info("handed over a model of %d bytes", len(trained.saved))


def _ended(number: int, _frame: FrameType | None) -> None:
    raise Ended(128 + number)


if __name__ == "__main__":
    sys.exit(main())
