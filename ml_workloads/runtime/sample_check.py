"""`python -m ml_workloads.runtime.sample_check`: try the code of projects on a few rows, without any service.

It reads a JSON list of requests from standard input and tries each in a process of its own, which the time limit of
the request ends. What it finds stands, line by line, in the file that the request names. `mlp projects check` reads it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

State = Literal["ok", "problem", "note"]
STAGE: Final = "stage"
_POLL_SECONDS: Final = 0.02
_LONGEST: Final = 300
KILLED: Final = "killed"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One project. `metric`, `bound`, `holdout`, `trusted_types` and `missing_values` are those of its project.yaml.

    `folder` holds its modules, `root` is what paths are told relative to. `sample` is a file of rows, or None where
    they are made up; `example` a request to its model. `variables` is all of its environment that is its own.
    `image_installs_more` says whether its Dockerfile installs more than the runtime's packages.
    """

    answer: str
    root: str
    folder: str
    contract: str
    entrypoint: str
    target: str
    holdout: float
    metric: str
    bound: float
    max_regression: float
    trusted_types: tuple[str, ...]
    missing_values: tuple[str, ...]
    sample: str | None
    example: str | None
    variables: Mapping[str, str]
    image_installs_more: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was looked at, and how it is: `said` is a sentence, with the fix where it is a problem."""

    what: str
    state: State
    said: str


class Report:
    """The findings of one project, in a file that is complete up to the moment in which the process is ended."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self.now = "code"

    def stage(self, name: str) -> None:
        """Record what is tried next, so that a process that ends without a word is explained."""
        self.now = name
        self._line({STAGE: name})

    def add(self, what: str, state: State, said: str) -> None:
        self._line(asdict(Finding(what=what, state=state, said=said)))

    def row(self, instance: Mapping[str, Any]) -> None:
        """Record a row that a model of these data takes in a request."""
        self._line({"row": instance})

    def _line(self, document: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(document, default=str) + "\n")
        self._file.flush()


def main() -> int:
    """Try every request of standard input; what is wrong with a project is no failure of this program."""
    requests = [Request(**each) for each in json.load(sys.stdin)]
    # Once for all, before any project's code runs: they take most of the time, a tenth of it Python's looking for
    # garbage. skops asks every module that is loaded for each of its 800 types, so it comes first.
    gc.disable()
    for name in ("skops.io", "ml_workloads.runtime.sample_steps"):
        importlib.import_module(name)
    gc.freeze()
    gc.enable()
    # What a project's code is compiled to is not left in its folder; that of the libraries makes the next check faster.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for request in requests:
        _in_a_process(request)
    return 0


def _in_a_process(request: Request) -> None:
    child = os.fork()
    if child == 0:
        try:
            _try(request)
        finally:
            # Neither the parent's cleaning up nor threads that the project left behind.
            os._exit(0)
    limit = time.monotonic() + request.seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > limit:
            _end(child)
            os.waitpid(child, 0)
            Report(Path(request.answer)).stage(KILLED)
            return
        time.sleep(_POLL_SECONDS)
    _end(child)


def _end(child: int) -> None:
    """End what a project started, workers of joblib included."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _try(request: Request) -> None:
    from ml_workloads.runtime.sample_steps import attempt

    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    os.environ.update(request.variables)
    os.chdir(request.folder)
    sys.path.insert(0, request.folder)
    report = Report(Path(request.answer))
    try:
        attempt(request, report)
    except Exception as error:
        said = " ".join(str(error).split())[:_LONGEST]
        report.add(report.now, "problem", f"it cannot be tried: {type(error).__name__}: {said}")
    report.stage("end")


if __name__ == "__main__":
    sys.exit(main())
