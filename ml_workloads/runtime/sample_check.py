"""`python -m ml_workloads.runtime.sample_check`: try the code of projects on a few rows, without any service.

The program reads a JSON list of requests from standard input and tries each in a process of its own, which is killed
after the time limit of the request. It writes its findings, line by line, to the file that the request names. `mlp
projects check` reads that file.
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
    """The request to try one project.

    Attributes:
        answer: path of the file for the findings.
        root: folder relative to which paths are reported.
        folder: folder with the project's modules.
        contract: `module:name` of the contract.
        entrypoint: `module:name` of the training function.
        target, holdout, metric, bound, max_regression, trusted_types, missing_values: values of project.yaml.
        sample: path of a file with rows; None if rows are to be generated.
        example: path of an example request to the model, or None.
        variables: environment variables that are set for the project in addition.
        image_installs_more: the project's Dockerfile installs more than the runtime's packages.
        seconds: time limit.
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
    """One checked part of a project and its state. `said` is a sentence, with the fix for a problem."""

    what: str
    state: State
    said: str


class Report:
    """The findings of one project, in a file that is complete up to the moment when the process ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self.now = "code"

    def stage(self, name: str) -> None:
        """Record the next step, so that a process that ends without a message can be explained."""
        self.now = name
        self._line({STAGE: name})

    def add(self, what: str, state: State, said: str) -> None:
        self._line(asdict(Finding(what=what, state=state, said=said)))

    def row(self, instance: Mapping[str, Any]) -> None:
        """Record a row as the model accepts it in a request."""
        self._line({"row": instance})

    def _line(self, document: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(document, default=str) + "\n")
        self._file.flush()


def main() -> int:
    """Try every request of standard input.

    Return 0 always: a problem of a project is no failure of this program.
    """
    requests = [Request(**each) for each in json.load(sys.stdin)]
    # Import these once, before any project's code runs: they take most of the time, a tenth of it in garbage
    # collection. skops searches every loaded module for each of its 800 types, so it is imported first.
    gc.disable()
    for name in ("skops.io", "ml_workloads.runtime.sample_steps"):
        importlib.import_module(name)
    gc.freeze()
    gc.enable()
    # Bytecode of a project's code must not be left in its folder. Bytecode of the libraries is kept, because it makes
    # the next check faster.
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
            # Skip the parent's cleanup handlers and threads that the project left behind.
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
    """Kill all processes that a project started, including joblib's workers."""
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
