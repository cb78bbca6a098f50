"""`python -m ml_workloads.runtime.worker`: a pod of the project's image without permissions and outgoing connections.

It answers the conductor's requests until its Job is deleted. It reads its settings from the environment: WORKER_*
below.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

# At import skops searches every loaded module for each of some 800 names. Importing it first saves 2 s.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
import uvicorn
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_workloads.runtime import log
from ml_workloads.runtime.objects import load_object
from ml_workloads.runtime.settings import read
from ml_workloads.runtime.worker.answers import Contracts, Models
from ml_workloads.runtime.worker.application import application
from ml_workloads.runtime.worker.messages import PORT

LOG = logging.getLogger("worker")
WRONG = 2


class WorkerSettings(BaseSettings):
    """Settings of a worker.

    Each is an environment variable: `WORKER_` and its name in capitals. `data` is a file of the image.
    """

    model_config = SettingsConfigDict(env_prefix="WORKER_", frozen=True)

    contract: str
    trusted_types: tuple[str, ...] = ()
    data: Path | None = None
    host: str = "127.0.0.1"
    port: int = PORT


def main() -> int:
    """Run the worker and return the exit code: 2 if a setting is missing or wrong."""
    log.begin()
    settings = read(WorkerSettings, LOG)
    if settings is None:
        return WRONG
    contracts, models = Contracts(lambda: load_object(settings.contract)), Models(settings.trusted_types)
    app = application(contracts, models, settings.data)
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main())
