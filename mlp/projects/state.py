"""State of a project in an environment, as `mlp status` shows it: as a JSON document and as rows of a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from mlp.projects.show import duration, moment

RunState = Literal["finished", "failed", "running", "waiting"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """Schedule of the training, None for a project without one."""

    schedule: str | None
    suspended: bool


@dataclass(frozen=True, kw_only=True)
class Run:
    """Training run. `reason` says why it failed or waits, otherwise None; `seconds` is None while it is not over."""

    job: str
    state: RunState
    started: datetime | None
    seconds: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Numbers of servers: declared, ready, and of the current declaration."""

    replicas: int
    ready: int
    updated: int


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Report of one server: the version that answers, and why it is not the version that the alias names."""

    ready: bool
    version: str | None
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class Aliases:
    """Versions by alias, and the account that moved each alias, None if MLflow has not recorded it."""

    versions: Mapping[str, str]
    writers: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """Used and allowed amount of a resource, as Kubernetes writes them."""

    used: str
    hard: str


@dataclass(frozen=True, kw_only=True)
class ProjectState:
    """State of a deployed project. A part is None if the project has none, or if a problem says why it is unknown."""

    project: str
    environment: str
    namespace: str
    image: str | None
    training: Training | None
    last_run: Run | None
    serving: Serving | None
    answering: Answering | None
    aliases: Aliases | None
    quota: Mapping[str, Quota]
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """Project without a state: it is not deployed, or `problem` says why nobody can tell."""

    project: str
    problem: str | None = None


def as_document(state: ProjectState) -> dict[str, Any]:
    """Return the document that `--json` prints."""
    aliases = state.aliases
    return {
        "project": state.project,
        "environment": state.environment,
        "namespace": state.namespace,
        "image": state.image,
        "training": asdict(state.training) if state.training else None,
        "last_run": asdict(state.last_run) if state.last_run else None,
        "serving": asdict(state.serving) if state.serving else None,
        "answering": asdict(state.answering) if state.answering else None,
        "aliases": aliases.versions if aliases else None,
        "aliases_by": aliases.writers if aliases else None,
        "quota": {name: asdict(each) for name, each in state.quota.items()},
        "problems": state.problems,
    }


def overview_document(found: ProjectState | Unseen) -> dict[str, Any]:
    """Return the document that `--json` prints of one project among all."""
    if isinstance(found, ProjectState):
        return {**as_document(found), "deployed": True}
    if found.problem is None:
        return {"project": found.project, "deployed": False, "problems": []}
    return {"project": found.project, "deployed": None, "problems": [found.problem]}


def rows(state: ProjectState) -> Iterator[tuple[str, object]]:
    """Yield the rows of the table of one project."""
    yield "namespace", state.namespace
    yield "image", state.image
    yield "schedule (UTC)", _schedule(state.training)
    run, serving, answers = state.last_run, state.serving, state.answering
    yield "last run", run.job if run else "none yet"
    if run:
        took = f", took {duration(run.seconds)}" if run.seconds is not None else ""
        yield "", f"{run.state}, began {moment(run.started)}{took}"
        for line in (run.reason or "").splitlines():
            yield "", line
    if serving:
        yield "replicas", f"{serving.ready} of {serving.replicas} ready"
        yield "version that answers", answers.version if answers else None
        if answers and answers.problem:
            yield "", answers.problem
    yield "aliases", _named(state.aliases) if state.aliases else None
    for name, each in state.quota.items():
        yield f"quota {name}", f"{each.used} of {each.hard}"


def overview_row(found: ProjectState | Unseen) -> tuple[object, ...]:
    """Return the row of one project in the table of all."""
    if isinstance(found, Unseen):
        deployed = "no" if found.problem is None else "unknown"
        return (found.project, deployed, None, None, None, found.problem)
    run, serving, answers = found.last_run, found.serving, found.answering
    return (
        found.project,
        "yes",
        f"{run.state} {moment(run.started)}" if run else None,
        f"{serving.ready} of {serving.replicas}" if serving else None,
        answers.version if answers else None,
        "; ".join(found.problems) or None,
    )


def _schedule(training: Training | None) -> str | None:
    if training is None:
        return None
    if training.schedule is None:
        return "none: only `mlp train` starts a run"
    return f"{training.schedule}, paused" if training.suspended else training.schedule


def _named(aliases: Aliases) -> str | None:
    by = {alias: f" (by {writer})" if writer else "" for alias, writer in aliases.writers.items()}
    parts = (f"{alias} {version}{by.get(alias, '')}" for alias, version in sorted(aliases.versions.items()))
    return ", ".join(parts) or None
