"""Trial of project code in separate processes, which see neither credentials nor services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ml_workloads.project.data import LocalSource
from ml_workloads.project.deployment_names import secret_variable
from ml_workloads.project.image import EXAMPLE_FILE, PROJECTS, SAMPLE_FILES
from ml_workloads.runtime.sample_check import KILLED, STAGE, Finding, Request, State
from mlp.console import PlainError
from mlp.projects.check_image import DOCKERFILE, image_installs_more

if TYPE_CHECKING:
    from ml_workloads.project import Project

CODE, SAMPLE, CONTRACT, TRAINING = "code", "sample", "data.contract", "training"
# Python, compiler caches of libraries and the locale; any other variable may lead to an account or a service.
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
_START_SECONDS: Final = 120.0
_MORE: Final = "give --seconds more if it needs that"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Findings in a project's code. `row` is a row that its model accepts in a request, if one is known."""

    findings: tuple[Finding, ...]
    row: Mapping[str, Any] | None


def sample_of(project: Project, root: Path, given: Path | None) -> Path | None:
    """Return the file with sample rows: the given one, otherwise one in the project's folder."""
    if given is not None:
        return given.absolute()
    folder = root / PROJECTS / project.name
    source = project.data.source
    names = (*SAMPLE_FILES, *([source.path] if isinstance(source, LocalSource) else []))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def request_for(project: Project, root: Path, answer: Path, given: Path | None, seconds: float) -> Request:
    """Return the request for the process that tries a project."""
    folder = root / PROJECTS / project.name
    gate, example = project.training.gate, folder / EXAMPLE_FILE
    sample = sample_of(project, root, given)
    return Request(
        answer=str(answer),
        root=str(root),
        folder=str(folder),
        contract=project.data.contract,
        entrypoint=project.training.entrypoint,
        target=project.data.target,
        holdout=project.training.holdout,
        metric=gate.metric,
        bound=gate.bound,
        max_regression=gate.max_regression,
        trusted_types=tuple(project.training.trusted_types),
        missing_values=tuple(project.data.missing_values),
        sample=str(sample) if sample else None,
        example=str(example) if example.is_file() else None,
        variables={secret_variable(name): f"no-secret-where-it-is-checked:{name}" for name in project.secrets},
        image_installs_more=image_installs_more(folder / DOCKERFILE),
        seconds=seconds,
    )


def try_code(
    projects: Sequence[Project], root: Path, given: Path | None, seconds: float, slow_sample: State = "problem"
) -> dict[str, Tried]:
    """Try the code of projects and return the findings by project name.

    Args:
        projects: the projects.
        root: root folder of the repository.
        given: a file of rows for all of them, None for the sample of each project.
        seconds: time limit of each project, without the start of the libraries.
        slow_sample: state of the finding if reading and checking the rows exceeds the time limit, or this machine's
            memory.

    Raises:
        PlainError: the process itself failed, through no fault of a project.
    """
    if not projects:
        return {}
    with tempfile.TemporaryDirectory(prefix="check-") as name:
        place = Path(name)
        requests = [request_for(each, root, place / f"{each.name}.jsonl", given, seconds) for each in projects]
        done = _run(requests, root, place, _START_SECONDS + seconds * len(requests))
        return {
            project.name: _read(Path(request.answer), done, seconds, slow_sample)
            for project, request in zip(projects, requests, strict=True)
        }


def _run(requests: Sequence[Request], root: Path, place: Path, limit: float) -> str:
    """Run the process and return its standard error output."""
    home = place / "home"
    home.mkdir()
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "PYTHONPATH": str(root),
        "HOME": str(home),
        "TMPDIR": str(home),
        "MPLCONFIGDIR": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_TRACKING_URI": (home / "mlruns").as_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ml_workloads.runtime.sample_check"],
            input=json.dumps([asdict(each) for each in requests]),
            capture_output=True,
            text=True,
            cwd=place,
            env=variables,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PlainError(f"the libraries of a training did not start within {_START_SECONDS:.0f} s") from None
    if done.returncode:
        raise PlainError(f"the process that tries the code ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stderr


def _read(answer: Path, said: str, seconds: float, slow_sample: State) -> Tried:
    documents = [json.loads(line) for line in answer.read_text().splitlines()] if answer.is_file() else []
    stages = [str(each[STAGE]) for each in documents if STAGE in each]
    findings = [Finding(**each) for each in documents if "said" in each]
    row = next((each["row"] for each in documents if "row" in each), None)
    if not stages or stages[-1] != "end":
        findings.append(_unfinished(stages, said, seconds, slow_sample))
    return Tried(findings=tuple(findings), row=row)


def _unfinished(stages: Sequence[str], said: str, seconds: float, slow_sample: State) -> Finding:
    """Return the finding for a process that did not complete."""
    if stages and stages[-1] == KILLED:
        stage = stages[-2] if len(stages) > 1 else CODE
        if stage == TRAINING:
            told = f"100 rows were not trained within {seconds:.0f} s, so the rest was not tried; {_MORE}"
            return Finding(what=stage, state="note", said=told)
        if SAMPLE in stages and stage in (SAMPLE, CONTRACT):
            more = f", or {_MORE}" if slow_sample == "problem" else ""
            told = f"the rows were not read and checked within {seconds:.0f} s, so training was not tried"
            return Finding(what=SAMPLE, state=slow_sample, said=f"{told}; give fewer with --sample FILE{more}")
        return Finding(what=stage, state="problem", said=f"it did not end within {seconds:.0f} s; {_MORE}")
    stage = stages[-1] if stages else CODE
    if stage == SAMPLE and slow_sample == "note":
        told = "the process ended while it read the rows, probably for want of memory, so training was not tried"
        return Finding(what=stage, state="note", said=f"{told}; give fewer with --sample FILE")
    cause = said.strip().splitlines()[-1:] or ["memory, or a crash of a compiled library"]
    return Finding(what=stage, state="problem", said=f"the process ended in the middle of it: {cause[0]}")
